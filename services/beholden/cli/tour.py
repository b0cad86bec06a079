"""What `beholden` alone shows: what this is, and the first commands to try."""

from __future__ import annotations

TOUR = """
[bold]Beholden[/]: visual recognition that answers to policy.
Every call is checked against usage policies before anything is recognised,
and every decision is written down before the answer leaves.

  [cyan]beholden demo[/]        the whole story on real pictures
  [cyan]beholden serve[/]       a server on this machine; then, in another terminal:

  [cyan]beholden --as daily-herald detect a.jpg --draw faces.png[/]
  [cyan]beholden --as daily-herald collections create news[/]
  [cyan]beholden --as daily-herald index news photos/ --source x --legal-basis y[/]
  [cyan]beholden --as daily-herald search news a.jpg[/]
  [cyan]beholden --as metro-police --purpose criminal_investigation search news a.jpg[/]
  [cyan]beholden --as beholden-ops --role auditor ledger verify[/]

[dim]beholden --help lists every command; beholden COMMAND --help has examples.[/]
"""
