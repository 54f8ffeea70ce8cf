"""Who is named, whatever the sender's program forgot to quote."""

import pytest

from controlroom.mail.addresses import Mailbox, mailboxes

JANE = "jane@example.org"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (JANE, [("", JANE)]),
        (f"Jane <{JANE}>", [("Jane", JANE)]),
        (f'"Doe, Jane" <{JANE}>', [("Doe, Jane", JANE)]),
        (f"Doe, Jane <{JANE}>", [("Doe, Jane", JANE)]),
        (f"Doe, Jane <{JANE}>, Roe, Dr. Rick <rick@x.org>", [("Doe, Jane", JANE), ("Roe, Dr. Rick", "rick@x.org")]),
        (f"[HR] Jane <{JANE}>", [("[HR] Jane", JANE)]),
        (f"HR: Jane <{JANE}>", [("HR: Jane", JANE)]),
        (f"Jane (HR) <{JANE}>", [("Jane", JANE)]),
        (f"Jane (HR <{JANE}>", [("Jane HR", JANE)]),
        (f'Jane "JD" Doe <{JANE}>', [("Jane JD Doe", JANE)]),
        (f'"Jane <{JANE}>', [("Jane", JANE)]),
        (f"Jane @ Work <{JANE}>", [("Jane @ Work", JANE)]),
        (f"Jane@Work, HR <{JANE}>", [("", "Jane@Work"), ("HR", JANE)]),
        (f"jane@old.example <{JANE}>", [("jane@old.example", JANE)]),
        (f"{JANE} (Jane Doe)", [("Jane Doe", JANE)]),
        (f"Jane Doe {JANE}", [("Jane Doe", JANE)]),
        (f"Jane <{JANE}", [("Jane", JANE)]),
        (f"Jane <{JANE}, Rick <rick@x.org>", [("Jane", JANE), ("Rick", "rick@x.org")]),
        (f"Jane {JANE}>", [("Jane", JANE)]),
        (f"<<{JANE}>>", [("", JANE)]),
        (f"<Jane <{JANE}>>", [("", JANE)]),
        (f"Jane <HR> <{JANE}>", [("Jane <HR>", JANE)]),
        (f"<Jane> <{JANE}>, Rick <rick@x.org>", [("<Jane>", JANE), ("Rick", "rick@x.org")]),
        (f"Jane <{JANE}> <>", [("Jane", JANE)]),
        ("< jane @example.org >", [("", JANE)]),
        (f"Jane [mailto:{JANE}]", [("Jane", JANE)]),
        (f"<mailto:{JANE}>", [("", JANE)]),
        (f"<@a.org,@b.org:{JANE}>", [("", JANE)]),
        (f"{JANE}; rick@x.org;", [("", JANE), ("", "rick@x.org")]),
        (f"{JANE} rick@x.org", [("", JANE), ("", "rick@x.org")]),
        (f"<{JANE};rick@x.org>", [("", JANE), ("", "rick@x.org")]),
        (f"Friends: {JANE}, Rick <rick@x.org>;", [("", JANE), ("Rick", "rick@x.org")]),
        ("undisclosed-recipients:;", []),
        ("", []),
        (", ,", []),
        ("<>", []),
        ("root", [("", "root")]),
        ("Mail Delivery Subsystem <MAILER-DAEMON>", [("Mail Delivery Subsystem", "MAILER-DAEMON")]),
        ("Jane Doe", [("Jane Doe", "")]),
        (f"Jane <{JANE}>, Jr.", [("Jane", JANE), ("Jr.", "")]),
        ('"jane doe"@example.org', [("", '"jane doe"@example.org')]),
        ("jane@[127.0.0.1]", [("", "jane@[127.0.0.1]")]),
        (f"=?utf-8?Q?Doe,_J=C3=A4ne?= <{JANE}>", [("Doe, Jäne", JANE)]),
        (f'"=?utf-8?Q?J=C3=A4ne?=" <{JANE}>', [("Jäne", JANE)]),
        (f"=?utf-8?Q?J=C3=A4ne?=<{JANE}>", [("Jäne", JANE)]),
        (f"=?utf-8?Q?J=C3?= =?utf-8?Q?=A4ne?= <{JANE}>", [("Jäne", JANE)]),
        ("=?utf-8?B?SmFuZSA8amFuZUBleGFtcGxlLm9yZz4=?=", [("Jane", JANE)]),
        (f"J\u00e4ne <{JANE}>", [("Jäne", JANE)]),
        ("jäne@exämple.org", [("", "jäne@exämple.org")]),
    ],
)
def test_the_address_is_found(header, found):
    """What stands in angle brackets counts; all before it is the name."""
    unknown: list[str] = []
    assert (mailboxes(header, unknown), unknown) == ([Mailbox(*each) for each in found], [])


@pytest.mark.parametrize(
    "piece", ['"', "(", ")", "<", ">", "a", "@", "a@", "<a@", "(()", ":", ";", ",", '\\"', "=?a?q?", "a ", "x:<a>"]
)
def test_the_work_grows_as_the_header_does(piece):
    """A header of a megabyte of one sign takes no longer than it must (all of them together: seconds)."""
    mailboxes(piece * (300_000 // len(piece)), [])
