"""`kybdesk send`."""

import sys

import click
import httpx

from dashboard import sending
from dashboard.cli.common import in_words, settings, webhook


@click.command()
@click.option("--ref-id", required=True, help="Your reference of the business.")
@click.option("--status", required=True, help="Such as IN_PROGRESS, IN_REVIEW, COMPLETED, REJECTED.")
@click.option("--previous-status", help="The status before (the one that usually stands before).")
@click.option("--reason", help="Of a rejection, such as DOCUMENT_MISMATCH.")
@click.option("--svix-id", help="The message's id; give the same again to repeat a delivery.")
@click.option("--url", help="The endpoint (the receiver of these settings).")
@click.option("--curl", is_flag=True, help="Print the cURL command instead of sending.")
def send(
    ref_id: str,
    status: str,
    previous_status: str | None,
    reason: str | None,
    svix_id: str | None,
    url: str | None,
    curl: bool,
) -> None:
    """Sign one event with VOVE_WEBHOOK_SECRET and send it."""
    with in_words():
        chosen = settings()
        body = sending.payload(ref_id, status, previous_status, reason)
        signed = sending.sign(body, chosen.require_secrets()[0], svix_id or sending.new_message_id())
        url = url or webhook(chosen)
        if curl:
            click.echo(signed.as_curl(url))
            click.echo("The signature holds for five minutes.", err=True)
        else:
            _post(url, signed)


def _post(url: str, signed: sending.SignedRequest) -> None:
    try:
        answer = httpx.post(url, content=signed.body, headers=signed.headers, timeout=15)
    except httpx.HTTPError as error:
        raise click.ClickException(f"{url} can't be reached: {error}") from None
    click.echo(f"{answer.status_code} {answer.text[:200]}  {signed.headers['svix-id']}")
    if not answer.is_success:
        sys.exit(1)
