"""Find text anywhere in references, names, message ids and reasons, however many there are."""

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    pass
