"""What the terminal says: where everything is, and what there is to see."""

WELCOME = """
  KYB Desk is running on a throwaway database. Nothing leaves this machine.

    Open       {dashboard}
    Sign in    {email}
    Password   {password}
    Also       {author} (operator) and {approver} (lead), with the same password: a text for
               customers that one writes, a second person approves
    Mailbox    {mailbox}   the mails that "went out" to the businesses

  An invented VOVE is sending signed webhooks: first what happened over the last days, then one every
  second or two. Within a minute you can see:

    Overview     what needs a look: tasks that failed, cases over their limit, a reason that is new
    Cases        businesses moving from In progress to In review, Completed or Rejected
    Runs         tasks that need a person: open one and read why it failed
                   an account was not enabled: press Re-process, and it is
                   no e-mail address, or a wrong one: set it right on the case's page, press Re-process,
                   and find the mail in the mailbox
    A case       {lost}: its last webhook was lost, and "Check with VOVE" finds out
    Rejections   a reason that nobody has described: say what it means; another's text waits for you
                   to approve it, and the customer can be told
    Deliveries   repeats, a wrong secret (unverified), a body that is no JSON (unreadable)

  The command works on the demo too. From another terminal:

    cd {directory}
    {command} send --ref-id my-business --status IN_PROGRESS
    {command} reason approve UBO_NOT_VERIFIED --language en --by carl@example.com
    {command} reconcile

  Ctrl-C ends it and leaves nothing behind.
"""
