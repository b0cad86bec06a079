"""The law in process, evaluated by regopy (rego-cpp) on threads of its own.

regopy agrees with OPA only when it is used just so: input as JSON text within limits, data added
once, one bundle built beforehand and shared, an interpreter to each thread, strict built-in errors,
and anything that is not a plain answer taken for none. Law is built and probed in a child process
first, because a bad module can abort the process that builds it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from regopy import Bundle, BundleFormat, Interpreter, LogLevel, Output, RegoError

from beholden.core.errors import FailedPrecondition, Unavailable
from beholden.core.law import Decision, Evaluation, Explanation, Facts, Json, PolicyStatus
from beholden.policy.decision import parse
from beholden.policy.explanation import parse_explanation
from beholden.policy.facts import encode
from beholden.policy.law import ENTRYPOINT, EXPLANATION, Law, digest
from beholden.policy.settings import PolicySettings
from beholden.policy.watching import State, watch

ENGINE = "rego"

_REMEMBERED = 1024

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Loaded:
    bundle: Bundle
    revision: str
    loaded_ns: int
    explains: bool
    digest: str
    known: OrderedDict[tuple[str, str], Json] = field(default_factory=OrderedDict)
    """What it answered of late, by entrypoint and facts; a law's answers go with the law."""


class RegoEngine:
    """A `PolicyEngine` in process. `read` gives the law, at the start and at every reload."""

    def __init__(self, read: Callable[[], Law], settings: PolicySettings) -> None:
        self._read = read
        self._settings = settings
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="beholden-rego")
        self._local = threading.local()
        self._loading = asyncio.Lock()
        self._loaded: _Loaded | None = None
        self._turned = asyncio.Event()
        self._watching: asyncio.Task[NoReturn] | None = None
        self.problem = ""
        """Why a newer law was not taken up."""

    async def reload(self) -> bool:
        """Puts the law in force as it now reads, and says whether it is another than before.

        Calls in progress end under the law they began with. Raises FailedPrecondition for law that
        cannot be read or built, or is another under the same name; the law in force stays then.
        """
        async with self._loading:
            law, is_of = await asyncio.to_thread(self._read_law)
            if self._loaded is not None and self._loaded.digest == is_of:
                return False
            if self._loaded is not None and self._loaded.revision == law.revision:
                raise _refused(f"it is another, and is still called {law.revision}")
            bundle = await asyncio.to_thread(_build, law, self._settings.build_timeout)
            self._loaded = _Loaded(bundle, law.revision, time.time_ns(), law.explains, is_of)
            self._turned.set()
            self._turned = asyncio.Event()
            return True

    def _read_law(self) -> tuple[Law, str]:
        law = self._read()
        return law, digest(law.modules, law.data)

    def watch(self, state: Callable[[], State]) -> None:
        """Reloads from now on whenever the law's files, whose `state` this is, have changed."""
        self._watching = asyncio.create_task(watch(state, self._refresh, self._settings.watch))

    async def _refresh(self) -> None:
        """A law that cannot be taken up is said in the log and in the status, and the one in force stays."""
        try:
            if await self.reload():
                _log.info("another law is in force: %s", self._in_force().revision)
            self.problem = ""
        except Exception as error:  # noqa: BLE001 - whatever it trips over, the next law is looked at
            self.problem = getattr(error, "message", "") or f"the law cannot be read: {error}"
            stays = self._loaded.revision if self._loaded else "no law"
            _log.error("%s; %s stays in force", self.problem, stays)

    @property
    def loaded(self) -> bool:
        """Whether there is a law to ask."""
        return self._loaded is not None

    async def decide(self, facts: Facts) -> Decision:
        """See `PolicyEngine.decide`."""
        return parse(await self.evaluate(facts))

    async def evaluate(self, facts: Facts) -> Evaluation:
        """See `PolicyEngine.evaluate`."""
        return await self._evaluate(self._in_force(), facts, ENTRYPOINT)

    async def explain(self, facts: Facts) -> Explanation:
        """See `PolicyEngine.explain`."""
        loaded = self._in_force()
        if not loaded.explains:
            return Explanation(loaded.revision)
        return parse_explanation(await self._evaluate(loaded, facts, EXPLANATION), ENGINE)

    async def _evaluate(self, loaded: _Loaded, facts: Facts, entrypoint: str) -> Evaluation:
        text = encode(facts, self._settings.limits)
        asked = (entrypoint, text)
        if asked in loaded.known:
            # The decision is a pure function of law and facts, the time among them.
            loaded.known.move_to_end(asked)
            return Evaluation(loaded.known[asked], loaded.revision)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._settings.timeout):
                document = await loop.run_in_executor(
                    self._pool, self._ask, loaded, text, entrypoint
                )
        except TimeoutError:
            raise Unavailable(ENGINE, "the decision took too long") from None
        loaded.known[asked] = document
        if len(loaded.known) > _REMEMBERED:
            loaded.known.popitem(last=False)
        return Evaluation(document, loaded.revision)

    async def status(self) -> PolicyStatus:
        """See `PolicyEngine.status`."""
        loaded = self._in_force()
        return PolicyStatus(
            ENGINE,
            loaded.revision,
            loaded.loaded_ns,
            healthy=True,
            detail="in process",
            problem=self.problem,
        )

    async def changed(self, revision: str) -> None:
        """See `PolicyEngine.changed`."""
        while self._in_force().revision == revision:
            await self._turned.wait()

    async def close(self) -> None:
        """See `PolicyEngine.close`."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        self._loaded = None
        self._turned.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _in_force(self) -> _Loaded:
        if self._loaded is None:
            raise Unavailable(ENGINE, "no law is loaded")
        return self._loaded

    def _ask(self, loaded: _Loaded, text: str, entrypoint: str) -> Json:
        """Runs on one of the pool's threads, with that thread's own interpreter."""
        if getattr(self._local, "loaded", None) is not loaded:
            self._local.interpreter = _interpreter()
            self._local.loaded = loaded
        try:
            return _query(self._local.interpreter, loaded.bundle, text, entrypoint)
        except Exception as error:  # noqa: BLE001
            # Its text may quote the facts, so neither log nor caller gets it.
            raise Unavailable(ENGINE, f"the evaluation failed ({type(error).__name__})") from None


def _interpreter() -> Interpreter:
    interpreter = Interpreter()
    interpreter.strict_built_in_errors = True
    interpreter.log_level = LogLevel.NONE
    return interpreter


def _query(
    interpreter: Interpreter, bundle: Bundle, text: str, entrypoint: str = ENTRYPOINT
) -> Json:
    """The entrypoint's document, None where undefined. Raises on anything else."""
    interpreter.set_input_term(text)
    output: Output = interpreter.query_bundle_entrypoint(bundle, entrypoint)
    if not output.ok():
        raise ValueError("not ok")
    if not output.results or not output.results[0].expressions:
        return None
    document: Json
    (document,) = output.results[0].expressions
    return document


def _build(law: Law, seconds: float) -> Bundle:
    """Builds and probes the law in a child process and takes over what it saved."""
    with tempfile.TemporaryDirectory(prefix="beholden-law-") as folder:
        path = Path(folder) / "law.rbb"
        source = json.dumps(
            {"modules": dict(law.modules), "data": law.data, "explains": law.explains}
        )
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        try:
            child = subprocess.run(
                [sys.executable, "-m", __name__, str(path)],
                input=source.encode(),
                capture_output=True,
                env=environment,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _refused(f"compiling it took over {seconds} s") from None
        if child.returncode != 0:
            words = (child.stdout or child.stderr).decode(errors="replace").strip()
            raise _refused(words[:2000] or f"the compiler ended with {child.returncode}")
        bundle = _interpreter().load_bundle(str(path), BundleFormat.Binary)
    if not bundle.ok():
        raise _refused("what was compiled cannot be loaded")
    return bundle


def _refused(problem: str) -> FailedPrecondition:
    return FailedPrecondition(f"the law is not taken into force: {problem}", remedy="correct it")


def _child(path: str) -> None:
    """Builds the law from standard input, asks it about no facts at all, and saves it to `path`."""
    source = json.load(sys.stdin)
    builder = Interpreter()
    builder.strict_built_in_errors = True
    builder.add_data_json(json.dumps(source["data"]))
    for name, module in source["modules"].items():
        builder.add_module(name, module)
    bundle = builder.build(None, [ENTRYPOINT, *([EXPLANATION] if source["explains"] else [])])
    if not bundle.ok():
        sys.exit("it does not compile")
    try:
        answer = _query(_interpreter(), bundle, "{}")
    except ValueError:
        sys.exit("it compiles, but cannot be asked; does every name in it exist?")
    if parse(Evaluation(answer, "")).allowed:
        sys.exit("it allows a call of which nothing is known")
    builder.save_bundle(path, bundle, BundleFormat.Binary)


if __name__ == "__main__":
    try:
        _child(sys.argv[1])
    except RegoError as problem:
        sys.exit(str(problem))
