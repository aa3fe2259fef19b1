"""Candidate backing: second what a collator offers, attest to what the group seconds, keep the table of votes.

Source: polkadot-sdk, `polkadot/node/core/backing/src/lib.rs`.
"""

import asyncio
from collections.abc import Callable, Iterable

from relaychain.erasure.coding import ErasureError
from relaychain.node.active_leaves import ActiveLeaves, Leaf
from relaychain.node.availability_store import AvailabilityStore, ErasureCoder
from relaychain.node.candidate_validation import CandidateValidation, Invalid, InvalidReason, Valid, Verdict
from relaychain.node.fetching import Fetcher
from relaychain.node.reports import Reports
from relaychain.node.requests import POV, FoundPoV, PoVFetchingRequest
from relaychain.node.runtime_api import ParachainHostApi, ValidationContext, validation_contexts
from relaychain.node.scheduling import RelayParent
from relaychain.node.statement_table import Attested, StatementTable
from relaychain.primitives.availability import AvailableData, PoV
from relaychain.primitives.candidate import (
    BackedCandidate,
    CandidateReceipt,
    CommittedCandidateReceipt,
    candidate_hash,
)
from relaychain.primitives.statements import (
    Seconded,
    SignedFullStatement,
    Statement,
    compact_statement,
    statement_payload,
)
from relaychain.primitives.statements import Valid as ValidStatement
from relaychain.primitives.types import CandidateHash, ValidatorId, ValidatorIndex, ValidatorSignature
from relaychain.pvf.host import InfrastructureFailure
from substrate.crypto.keys import Ed25519Pair
from substrate.types import Hash

SignedListener = Callable[[Hash, SignedFullStatement], None]


class CandidateBacking:
    """One validator's part in backing; without a key it only watches the votes of others."""

    def __init__(
        self,
        leaves: ActiveLeaves,
        api: ParachainHostApi,
        validation: CandidateValidation,
        store: AvailabilityStore,
        coder: ErasureCoder,
        *,
        key: Ed25519Pair | None,
        fetcher: Fetcher,
        reports: Reports,
    ) -> None:
        self._leaves = leaves
        self._api = api
        self._validation = validation
        self._store = store
        self._coder = coder
        self._key = key
        self._fetcher = fetcher
        self._reports = reports
        self._tables: dict[Hash, StatementTable] = {}
        self._attesting: set[CandidateHash] = set()
        self._listeners: list[SignedListener] = []
        self._tasks: asyncio.TaskGroup | None = None

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin to follow leaves."""
        self._tasks = tasks
        self._leaves.on_active(self._on_leaf)

    def on_signed(self, listener: SignedListener) -> None:
        """Call back with each statement that this validator signs."""
        self._listeners.append(listener)

    def own_index(self, parent: RelayParent) -> ValidatorIndex | None:
        """This node's place among the validators, if it may vote."""
        index = None if self._key is None else parent.index_of(ValidatorId(self._key.public))
        return None if index in parent.disabled else index

    def table(self, parent: RelayParent) -> StatementTable:
        """The votes about a relay parent's candidates."""
        return self._tables.setdefault(parent.hash, StatementTable(parent))

    def backable(self, relay_parents: Iterable[Hash]) -> list[BackedCandidate]:
        """Candidates of these relay parents with enough votes."""
        tables = (self._tables[each] for each in relay_parents if each in self._tables)
        return [backed for table in tables for backed in table.backable()]

    def _on_leaf(self, leaf: Leaf) -> None:
        for old in [each for each in self._tables if self._leaves.relay_parent(each) is None]:
            del self._tables[old]

    # --- seconding ---

    def second(self, receipt: CandidateReceipt, pov: PoV, context: ValidationContext) -> SignedFullStatement | None:
        """Validate a collation and second it; None if it is refused, which the record then explains."""
        parent = self._leaves.relay_parent(receipt.descriptor.relay_parent)
        index = None if parent is None else self.own_index(parent)
        if parent is None or index is None:
            return None
        candidate, para = candidate_hash(receipt), receipt.descriptor.para_id
        known = self.table(parent).candidates.get(candidate)
        if known is not None and index in known.votes:
            return None
        if self.table(parent).seconded_count(index) >= parent.lookahead:
            self._reports.refusal(para, candidate, "SecondingLimit", f"already seconded {parent.lookahead}")
            return None
        verdict = self._judge(parent, receipt, pov, context)
        if not isinstance(verdict, Valid):
            return None
        committed = CommittedCandidateReceipt(receipt.descriptor, verdict.commitments)
        self._reports.stage(
            "seconded",
            candidate,
            para,
            relay_parent=parent.hash,
            head=receipt.descriptor.para_head,
            core=parent.core_of_candidate(receipt.descriptor),
            pov_size=len(pov.block_data),
        )
        return self._sign(parent, index, Seconded(committed))

    def _judge(
        self, parent: RelayParent, receipt: CandidateReceipt, pov: PoV, context: ValidationContext
    ) -> Verdict | None:
        """The verdict, reported if it is against the candidate; None if this node cannot tell."""
        candidate = candidate_hash(receipt)
        try:
            verdict = self._validation.validate(receipt, pov, context, parent)
            if isinstance(verdict, Valid):
                verdict = self._make_available(parent, receipt, AvailableData(pov, context.data)) or verdict
        except (InfrastructureFailure, ErasureError) as failure:
            self._reports.fault(type(failure).__name__, f"candidate 0x{candidate.hex()}: {failure}")
            return None
        if isinstance(verdict, Invalid):
            self._reports.refusal(receipt.descriptor.para_id, candidate, verdict.reason, verdict.detail)
        return verdict

    def _make_available(self, parent: RelayParent, receipt: CandidateReceipt, data: AvailableData) -> Invalid | None:
        """Keep the data with its chunks, if their root is the receipt's."""
        coded = self._coder.coded(len(parent.validators), data)
        if coded.root != receipt.descriptor.erasure_root:
            return Invalid(InvalidReason.ERASURE_ROOT_MISMATCH, f"computed=0x{coded.root.hex()}")
        self._store.put_available_data(candidate_hash(receipt), data, coded.chunks, parent.number)
        return None

    def _sign(self, parent: RelayParent, index: ValidatorIndex, statement: Statement) -> SignedFullStatement:
        assert self._key is not None, "who has an index has a key"
        compact = compact_statement(statement)
        signature = ValidatorSignature(self._key.sign(statement_payload(compact, parent.context)))
        signed = SignedFullStatement(statement, index, signature)
        self.table(parent).import_statement(signed)
        self._reports.vote("statement", compact.candidate_hash, parent.session, parent.number)
        for listener in tuple(self._listeners):
            listener(parent.hash, signed)
        return signed

    # --- attesting ---

    def on_statement(self, relay_parent: Hash, signed: SignedFullStatement, sender: str) -> None:
        """Take in a peer's statement about a relay parent in view, and vote too if it is the own group's turn.

        Raises:
            StatementError: the statement breaks a rule.
        """
        parent = self._leaves.relay_parent(relay_parent)
        if parent is None:
            return
        candidate = self.table(parent).import_statement(signed)
        if candidate is None or candidate in self._attesting:
            return
        attested, index = self.table(parent).candidates.get(candidate), self.own_index(parent)
        if attested is None or index is None or index in attested.votes or index not in parent.group_on(attested.core):
            return
        assert self._tasks is not None, "statements come after start"
        self._attesting.add(candidate)
        self._tasks.create_task(self._attest(parent, index, attested, sender), name=f"{self._reports.node} attest")

    async def _attest(self, parent: RelayParent, index: ValidatorIndex, attested: Attested, sender: str) -> None:
        candidate = candidate_hash(attested.receipt)
        try:
            with self._reports.survived(f"attesting to 0x{candidate.hex()}"):
                await self._attest_fetched(parent, index, attested, sender)
        finally:
            self._attesting.discard(candidate)

    async def _attest_fetched(
        self, parent: RelayParent, index: ValidatorIndex, attested: Attested, sender: str
    ) -> None:
        receipt = attested.receipt.receipt
        candidate, context = candidate_hash(receipt), self.context_of(attested.receipt)
        if context is None:
            detail = "no parent head of this relay parent gives its validation data"
            self._reports.refusal(receipt.descriptor.para_id, candidate, InvalidReason.PVD_HASH_MISMATCH, detail)
            return
        pov = await self._fetch_pov(parent, attested, index, sender)
        if pov is None or index in attested.votes or self._leaves.relay_parent(parent.hash) is None:
            return
        if isinstance(self._judge(parent, receipt, pov, context), Valid):
            self._sign(parent, index, ValidStatement(candidate))

    def context_of(self, candidate: CommittedCandidateReceipt) -> ValidationContext | None:
        """The validation data that a candidate commits to, if the relay parent's state gives it."""
        descriptor = candidate.descriptor
        for context in validation_contexts(self._api, descriptor.relay_parent, descriptor.para_id):
            if context.data.hash == descriptor.persisted_validation_data_hash:
                return context
        return None

    async def _fetch_pov(
        self, parent: RelayParent, attested: Attested, index: ValidatorIndex, sender: str
    ) -> PoV | None:
        """The PoV from the first voter that has it; voters that come meanwhile are asked too."""
        candidate, tried = candidate_hash(attested.receipt), list[ValidatorIndex]()
        while voters := [voter for voter in attested.votes if voter not in tried and voter != index]:
            tried.append(voters[0])
            peer = self._fetcher.peer_of(parent, voters[0]) or sender
            found = await self._fetcher.ask(peer, POV, PoVFetchingRequest(candidate).encode())
            if isinstance(found, FoundPoV) and found.pov.hash == attested.receipt.descriptor.pov_hash:
                return found.pov
            if found is not None:
                self._reports.fault(POV.fault, f"{peer}: no PoV of candidate 0x{candidate.hex()}")
        return None
