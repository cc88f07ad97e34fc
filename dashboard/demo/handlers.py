"""A handler of the invented company's own, beside the shipped ones: an example of how one writes them.

See the README.
"""

from dashboard.demo.businesses import find_business
from receiver.handlers import Context, Done, Event, handles


@handles("IN_PROGRESS", title="Copy the business from the CRM")
def copy_from_crm(event: Event, context: Context) -> str | Done:
    """A business that has just signed up is not in the directory yet. What people entered stays."""
    if context.business.name:
        return "The directory knows the business already"
    found = find_business(event.ref_id)  # a real one asks the CRM here
    if found is None:
        return "The CRM does not know this business"
    context.log.info("found %s in the CRM", found.company.name)
    entry = {
        "name": found.company.name,
        "email": found.email,
        "language": found.company.language,
        "notes": found.notes,
    }
    return Done(f"Entered as {found.company.name}", business=entry)
