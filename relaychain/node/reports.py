"""What a relay node's subsystems write into the record, in one place so that the rows agree."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from relaychain.primitives.types import CandidateHash, ParaId, SessionIndex
from substrate.client.protocols import Clock, Recorder
from substrate.errors import ChainError
from substrate.types import Hash

RELAY = "relay"


class Reports:
    """Facts of one node."""

    def __init__(self, node: str, recorder: Recorder, clock: Clock) -> None:
        self.node = node
        self._recorder = recorder
        self._clock = clock

    def fault(self, kind: str, detail: str) -> None:
        """Something went wrong, here or at a peer."""
        self._recorder.row("faults", node=self.node, kind=kind, detail=detail, at=self._clock.now_us())

    @contextmanager
    def survived(self, task: str) -> Generator[None]:
        """Write down a ChainError of a task and go on without it; anything else is a bug and ends the run."""
        try:
            yield
        except ChainError as failure:
            self.fault(type(failure).__name__, f"{task}: {failure}")

    def refusal(self, para: ParaId, candidate: CandidateHash, check: str, detail: str) -> None:
        """A candidate was not backed here; `check` names the rule that refused it."""
        self._recorder.row(
            "refusals",
            chain=RELAY,
            para_id=para,
            candidate=candidate,
            check=check,
            detail=detail,
            node=self.node,
            at=self._clock.now_us(),
        )

    def vote(self, kind: str, target: bytes, session: SessionIndex, block: int) -> None:
        """This node's validator signed a statement or a bitfield about relay parent `block`."""
        self._recorder.row(
            "votes",
            kind=kind,
            validator=self.node,
            target=target,
            session=session,
            valid=True,
            chain=RELAY,
            block=block,
            at=self._clock.now_us(),
        )

    def stage(
        self,
        stage: str,
        candidate: CandidateHash,
        para: ParaId,
        *,
        relay_parent: Hash,
        head: Hash,
        block: int | None = None,
        block_hash: Hash | None = None,
        core: int | None = None,
        group: int | None = None,
        backers: Sequence[int] | None = None,
        pov_size: int | None = None,
    ) -> None:
        """A candidate reached a stage; all nodes report it, the record keeps the first."""
        columns = {
            "block": block,
            "block_hash": block_hash,
            "core": core,
            "backing_group": group,
            "backers": backers,
            "pov_size": pov_size,
        }
        given = {name: value for name, value in columns.items() if value is not None}
        self._recorder.row(
            "candidates",
            candidate=candidate,
            stage=stage,
            para_id=para,
            chain=RELAY,
            head=head,
            relay_parent=relay_parent,
            at=self._clock.now_us(),
            **given,
        )
