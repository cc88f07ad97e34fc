"""What the invented company's people have entered: businesses, and what may be said to customers."""

from datetime import UTC, datetime

from sqlalchemy import Connection

from dashboard.demo.businesses import business
from receiver.directory import rows
from receiver.limits import set_limit
from receiver.reasons import WrittenText, approve_text, describe_reason, write_text

AUTHOR = "bea@example.com"
APPROVER = "carl@example.com"

LABELS = {
    "DOCUMENT_MISMATCH": "The documents do not match what was entered",
    "DOCUMENT_EXPIRED": "A document has expired",
    "COMPANY_NOT_ACTIVE": "The register does not list the company as active",
    "UBO_NOT_VERIFIED": "A beneficial owner could not be verified",
    "SANCTIONS_REVIEW": "Found on a sanctions list",
}
LIMITS = {"IN_PROGRESS": (5, False), "IN_REVIEW": (3, True)}  # days, and whether only working days count
NEVER_TELL = "SANCTIONS_REVIEW"  # it could be tipping off
NOT_APPROVED = "UBO_NOT_VERIFIED"
TEXTS = {
    "DOCUMENT_MISMATCH": {
        "en": "The details in your documents differ from those you entered. Please check both, and send us "
        "documents that show the same name and address.",
        "de": "Die Angaben in Ihren Unterlagen weichen von Ihren Eingaben ab. Bitte prüfen Sie beides und "
        "senden Sie uns Unterlagen, die denselben Namen und dieselbe Anschrift zeigen.",
        "fr": "Les informations de vos documents diffèrent de celles que vous avez saisies. Veuillez les "
        "vérifier et nous envoyer des documents portant les mêmes nom et adresse.",
    },
    "DOCUMENT_EXPIRED": {
        "en": "A document that you sent us is no longer valid. Please send us a current one.",
        "de": "Ein Dokument, das Sie uns gesendet haben, ist nicht mehr gültig. Bitte senden Sie uns ein "
        "aktuelles.",
        "fr": "Un document que vous nous avez envoyé n’est plus valable. Veuillez nous en envoyer un à jour.",
    },
    "COMPANY_NOT_ACTIVE": {
        "en": "The company register does not list your company as active. If that is out of date, please "
        "send us a current extract.",
        "de": "Im Handelsregister ist Ihr Unternehmen nicht als aktiv eingetragen. Falls das überholt ist, "
        "senden Sie uns bitte einen aktuellen Auszug.",
        "fr": "Le registre ne présente pas votre société comme active. Si ce n’est plus le cas, veuillez "
        "nous envoyer un extrait récent.",
    },
    "UBO_NOT_VERIFIED": {
        "en": "We could not verify one of the people who own your company.",
    },
}


def enter(connection: Connection, how_many: int) -> None:
    """The first businesses; those that sign up later come from the CRM, see handlers.py."""
    now = datetime.now(UTC)
    for number in range(how_many):
        one = business(number)
        entry = {
            "name": one.company.name,
            "email": one.email,
            "language": one.company.language,
            "notes": one.notes,
        }
        rows.change(connection, one.ref_id, entry, AUTHOR, now)
    for status, (days, working_days) in LIMITS.items():
        set_limit(connection, status, days, working_days, APPROVER, now)
    for code, label in LABELS.items():
        describe_reason(connection, code, AUTHOR, now, label, never_tell=code == NEVER_TELL)
        for language, text in TEXTS.get(code, {}).items():
            text_id = write_text(connection, code, WrittenText(language, text, AUTHOR), now)
            if code != NOT_APPROVED:
                approve_text(connection, text_id, APPROVER, now)
