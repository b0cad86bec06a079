"""The line: options anywhere, facts, and help whose examples are right."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from beholden.cli.app import build, hoisted
from beholden.cli.commands.explain import request_facts

FLAGS = {"--server": False, "--as": False, "--json": True, "-q": True}


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("detect a.jpg", "detect a.jpg"),
        ("detect a.jpg --json", "--json detect a.jpg"),
        ("detect --as me a.jpg -q", "--as me -q detect a.jpg"),
        ("detect --server=h:1 a.jpg", "--server=h:1 detect a.jpg"),
        ("detect --draw x.png --as me", "--as me detect --draw x.png"),
        ("detect -- --json", "detect -- --json"),
        ("detect --as", "--as detect"),
    ],
)
def test_options_may_stand_anywhere(line: str, wanted: str) -> None:
    assert hoisted(line.split(), FLAGS) == wanted.split()


@pytest.mark.parametrize(
    ("pairs", "wanted"),
    [
        ([], {}),
        (["min_similarity=0.9"], {"min_similarity": 0.9}),
        (["a.b=1", "a.c=x y"], {"a": {"b": 1, "c": "x y"}}),
        (
            ["on=true", 'list=["a"]', "text=a=b", "empty="],
            {"on": True, "list": ["a"], "text": "a=b", "empty": ""},
        ),
    ],
)
def test_facts(pairs: list[str], wanted: dict[str, Any]) -> None:
    assert request_facts(pairs) == wanted


@pytest.mark.parametrize("pairs", [["x"], ["=1"], ["a=1", "a.b=2"], ["x=NaN"], ["x=Infinity"]])
def test_facts_that_are_none(pairs: list[str]) -> None:
    with pytest.raises(typer.BadParameter):
        request_facts(pairs)


def commands(group: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


COMMANDS = dict(commands(get_command(build())))


def examples(command: Any) -> list[str]:
    plain = re.sub(r"\[/?\w*\]", "", command.epilog or "").replace("\\[", "[")
    return [line.split("  #")[0].strip() for line in plain.splitlines() if "beholden " in line]


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_explains_itself_with_examples_that_parse(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help
    assert examples(command)
    for example in examples(command):
        line = shlex.split(re.split(r"[|>]", example)[0])
        assert line[: len(path) + 1] == ["beholden", *path]
        # Options and arguments are parsed before help is shown.
        result = CliRunner().invoke(build(), [*line[1:], "--help"])
        assert result.exit_code == 0, result.output
