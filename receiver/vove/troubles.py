"""Why VOVE could not be asked, in words that a page or a command shows."""

from enum import StrEnum


class Trouble(StrEnum):
    """Why VOVE could not be asked."""

    OFF = "off"
    KEY = "key"
    PLAIN = "plain"
    UNREACHABLE = "unreachable"
    CERTIFICATE = "certificate"
    SLOW = "slow"
    BUSY = "busy"
    FAILING = "failing"
    REFUSED = "refused"
    ELSEWHERE = "elsewhere"
    STRANGE = "strange"
    TOO_LARGE = "too_large"
    UNCLEAR = "unclear"


SENTENCES = {
    Trouble.OFF: "No API key of VOVE's is set up (VOVE_API_KEY).",
    Trouble.KEY: "VOVE did not accept the API key (VOVE_API_KEY).",
    Trouble.PLAIN: "VOVE is asked over https only, so that nobody on the way reads the key (VOVE_API_URL).",
    Trouble.UNREACHABLE: "VOVE can't be reached at the moment. Try again later.",
    Trouble.CERTIFICATE: "What answers at VOVE's address could not prove that it is VOVE's, so it was not "
    "asked (VOVE_API_URL).",
    Trouble.SLOW: "VOVE did not answer in time. Try again later.",
    Trouble.BUSY: "VOVE asks us to wait before the next question. Try again in some minutes.",
    Trouble.FAILING: "VOVE answers with an error of its own. Try again later.",
    Trouble.REFUSED: "VOVE did not understand the question (VOVE_API_URL).",
    Trouble.ELSEWHERE: "VOVE's address leads to another one, which the key was not sent to (VOVE_API_URL).",
    Trouble.STRANGE: "VOVE's answer was not understood: it holds no list of cases.",
    Trouble.TOO_LARGE: "VOVE's answer was larger than KYB Desk reads.",
    Trouble.UNCLEAR: "VOVE's search found other cases, and too many to say that this one is not among them.",
}


class VoveError(Exception):
    """VOVE could not be asked. Its text is a sentence to show; it never holds the key."""

    def __init__(self, trouble: Trouble, status: int | None = None, wait: float | None = None) -> None:
        answer = f" (It answered {status}.)" if status else ""
        super().__init__(SENTENCES[trouble] + answer)
        self.trouble = trouble
        self.status = status
        self.wait = wait  # seconds that VOVE asks us to wait


RETRIED = {Trouble.UNREACHABLE, Trouble.SLOW, Trouble.BUSY, Trouble.FAILING}
