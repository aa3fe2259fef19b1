"""The record's tables, as data: what a run writes down (facts) and what follows from it (views).

A fact is keyed, mostly by chain, block hash and position, and inserted once. `chain` is "relay" or a parachain's name,
`block` a height, `at` and `*_at` are chain time in microseconds; hashes are "0x..." text, amounts exact decimal text.
"""

from typing import Literal, NamedTuple, cast

Kind = Literal["text", "category", "int", "u32", "bool", "float", "amount", "time", "span", "json", "stage"]

STAGES = (
    "in_block", "backed", "included", "routed", "queued", "executed", "dest_backed", "dest_included", "final",
)  # fmt: skip
"""A message's way; `backed` and `included` are of the sender's block, `dest_...` of the block that executed it."""
MESSAGE_STATUS = ("sent", "routed", "queued", "executed", "final", "failed", "trapped")
BLOCK_STATUS = ("fork", "best", "final")
ORDERS: dict[tuple[str, str], tuple[str, ...]] = {
    ("hops", "stage"): STAGES,
    ("messages", "status"): MESSAGE_STATUS,
    ("blocks", "status"): BLOCK_STATUS,
}
"""Ordered categories, by table and column."""


class Table(NamedTuple):
    """A fact table. `stored` is its name in SQLite where a view has taken the plain one."""

    doc: str
    columns: dict[str, Kind]
    key: tuple[str, ...]
    stored: str = ""


class View(NamedTuple):
    """What follows from the facts."""

    doc: str
    columns: dict[str, Kind]
    select: str


def _columns(text: str) -> dict[str, Kind]:
    """`"chain:category block:u32"` as a dict."""
    return cast("dict[str, Kind]", dict(word.split(":") for word in text.split()))


_PLACE = "chain:category block:u32 block_hash:text "
_EXECUTED = ("chain", "block_hash", "message_id", "position")

TABLES: dict[str, Table] = {
    "blocks": Table(
        "One row per imported block.",
        _columns(
            "chain:category para_id:u32 block:u32 hash:text parent:text author:category slot:int extrinsics:int "
            "events:int "
            "size:int weight_ref:int weight_proof:int at:time"
        ),
        ("chain", "hash"),
        "block_facts",
    ),
    "extrinsics": Table(
        "One row per extrinsic in a block.",
        _columns(
            _PLACE + "extrinsic:int hash:text signer:text call:category args:json ok:bool error:text fee:amount "
            "tip:amount "
            "weight_ref:int weight_proof:int at:time"
        ),
        ("chain", "block_hash", "extrinsic"),
    ),
    "events": Table(
        "One row per event.",
        _columns(_PLACE + "event:int phase:category extrinsic:int pallet:category name:category data:json at:time"),
        ("chain", "block_hash", "event"),
    ),
    "messages": Table(
        "One row per XCM message sent; the view adds what became of it.",
        _columns(
            "message_id:text hash:text kind:category origin:category dest:category block:u32 block_hash:text "
            "position:int "
            "extrinsic:text sender:text beneficiary:text xcm_version:int program:text instructions:int size:int "
            "topic:text parent_message:text fee_tx:amount fee_delivery:amount at:time"
        ),
        ("origin", "dest", "block_hash", "message_id", "position"),
        "message_facts",
    ),
    "outcomes": Table(
        "One row per message or local program executed, with its outcome, and the barrier that let it pass or not.",
        _columns(
            _PLACE + "position:int message_id:text origin:category ok:bool error:category error_index:int "
            "error_instruction:category reason:text barrier:category weight_used:int fee_execution:amount "
            "refunded:amount at:time"
        ),
        _EXECUTED,
    ),
    "hops": Table(
        "One row per message and stage it reached; `arrival` counts those that came with a para's block, from 1.",
        _columns("message_id:text origin:category dest:category stage:stage " + _PLACE + "arrival:int at:time"),
        ("message_id", "origin", "dest", "stage", "chain", "block_hash"),
        "hop_facts",
    ),
    "instructions": Table(
        "One row per executed XCM instruction, with the registers around it.",
        _columns(
            _PLACE + "position:int i:int message_id:text program:category op:category args:json ok:bool "
            "error:category detail:text weight_ref:int weight_proof:int origin_before:text origin_after:text "
            "holding_before:text holding_after:text at:time"
        ),
        (*_EXECUTED, "i"),
        "instruction_facts",
    ),
    "assets": Table(
        "One row per message, asset and role.",
        _columns(
            _PLACE + "position:int message_id:text role:category asset:text symbol:category decimals:int "
            "amount_raw:amount at:time"
        ),
        (*_EXECUTED, "role", "asset"),
        "asset_facts",
    ),
    "candidates": Table(
        "One row per candidate and stage it reached; the view has one row per candidate.",
        _columns(
            "candidate:text stage:category para_id:u32 chain:category head:text relay_parent:text block:u32 "
            "block_hash:text "
            "core:int backing_group:int collator:text backers:json pov_size:int at:time"
        ),
        ("candidate", "stage", "block_hash"),
        "candidate_facts",
    ),
    "votes": Table(
        "One row per validator's vote: statement, bitfield, approval, dispute, prevote or precommit.",
        _columns(
            "kind:category validator:category target:text round:int session:int valid:bool chain:category "
            "block:u32 at:time"
        ),
        ("kind", "validator", "target", "round", "session", "valid"),
    ),
    "finality": Table(
        "One row per finalised block of any chain; a parachain's are those included at a final relay block.",
        _columns("chain:category block:u32 hash:text round:int set_id:int precommits:int lag:int at:time"),
        ("chain", "hash"),
    ),
    "refusals": Table(
        "One row per candidate that a validator refused to back, with the check that refused it.",
        _columns("chain:category para_id:u32 candidate:text check:category detail:text node:category at:time"),
        ("chain", "candidate", "check", "node"),
    ),
    "faults": Table(
        "One row per thing that went wrong at a node: bad messages of peers, failures of its own.",
        _columns("node:category kind:category detail:text at:time"),
        ("node", "kind", "detail", "at"),
    ),
    "channels": Table(
        "One row per HRMP channel and relay block that changed it.",
        _columns(
            "sender:u32 recipient:u32 block:u32 block_hash:text messages:int bytes:int capacity:int at:time"
        ),
        ("sender", "recipient", "block_hash"),
    ),
    "traps": Table(
        "One row per trapped set of assets, and one per claim (`action`).",
        _columns(
            _PLACE + "position:int action:category message_id:text hash:text origin:text assets:json who:text at:time"
        ),
        ("chain", "block_hash", "hash", "action", "position"),
    ),
    "conservation": Table(
        "One row per asset and equation that holds over all chains at the end; `difference` is zero where it does.",
        _columns(
            "asset:category equation:category chain:category expected:amount found:amount difference:amount "
            "terms:json relay_block:u32 at:time"
        ),
        ("asset", "equation", "chain", "relay_block"),
    ),
    "run": Table("What the run was: name, seed, clock, network file, digest. Not part of the digest.",
                 _columns("name:text value:text"), ("name",)),
}  # fmt: skip

NOT_DIGESTED = frozenset({"run"})
OPTIONAL_KEYS: dict[str, object] = {"position": 0, "round": 0, "session": 0, "block_hash": ""}
"""What stands for NULL in a unique index: SQLite would take two NULLs for two different keys."""

_ABANDONED = (
    "EXISTS (SELECT 1 FROM finality f WHERE f.chain = {chain} AND f.block = {row}.block AND f.hash != {row}.block_hash)"
)

_REACHED = f"""SELECT head, stage, chain, block, block_hash, MIN(at) AS at FROM candidate_facts x
          WHERE stage IN ('backed', 'included') AND NOT {_ABANDONED.format(chain="x.chain", row="x")}
          GROUP BY head, stage"""
"""When, and in which relay block, a parachain's block was first backed and included; other forks do not count."""


def _numbered(table: str, *, chain: str, leg: str) -> str:
    """SQL for facts about messages with `nth`, which time it is that the id comes along this leg.

    A message may be sent twice under one topic. Of blocks at one height one counts, also before one of them is final.
    """
    return f"""(
          SELECT *, ROW_NUMBER() OVER (PARTITION BY {leg} ORDER BY block, again) AS nth FROM (
            SELECT *, ROW_NUMBER() OVER (PARTITION BY {leg}, block, again ORDER BY at, block_hash) AS fork FROM (
              SELECT *, ROW_NUMBER() OVER (PARTITION BY {leg}, block_hash ORDER BY position) AS again
              FROM {table} x WHERE NOT {_ABANDONED.format(chain=chain, row="x")}))
          WHERE fork = 1)"""


def _first_hop(stage: str) -> str:
    """SQL for when a message `m` reached a stage, after it was sent."""
    return f"""(SELECT MIN(x.at) FROM hop_facts x WHERE x.message_id = m.message_id AND x.origin = m.origin
             AND x.dest = m.dest AND x.stage = '{stage}' AND x.at >= m.at
             AND NOT {_ABANDONED.format(chain="x.chain", row="x")})"""


def _stage_order(column: str) -> str:
    """SQL for the place of a stage among `STAGES`."""
    cases = " ".join(f"WHEN '{stage}' THEN {place}" for place, stage in enumerate(STAGES))
    return f"CASE {column} {cases} END"


VIEWS: dict[str, View] = {
    "blocks": View(
        "One row per block, with what became of it.",
        {
            **TABLES["blocks"].columns,
            **_columns(
                "candidate:text relay_parent:text pov_size:int relay_block:u32 backed_at:time included_at:time "
                "approved_at:time final_at:time status:stage"
            ),
        },
        """
        SELECT b.*, c.candidate, c.relay_parent, c.pov_size, c.relay_block, c.backed_at, c.included_at,
          c.approved_at, f.at AS final_at,
          CASE WHEN f.at IS NOT NULL THEN 'final'
               WHEN EXISTS (SELECT 1 FROM finality o WHERE o.chain = b.chain AND o.block = b.block) THEN 'fork'
               ELSE 'best' END AS status
        FROM block_facts b
        LEFT JOIN finality f ON f.chain = b.chain AND f.hash = b.hash
        LEFT JOIN (SELECT *, MAX(included_at),  -- of candidates of one head the one that counts
                     CAST(head AS TEXT) AS tip  -- text like the hash: else SQLite makes no index for the join
                   FROM candidates GROUP BY head) c ON c.tip = b.hash
        """,
    ),
    "candidates": View(
        "One row per candidate, with when it reached each stage. `outcome` is `open` where nothing more is heard: it "
        "waits, or went with its fork or its session, of which the relay chain tells nothing.",
        _columns(
            "candidate:text para_id:u32 chain:category head:text relay_parent:text core:int backing_group:int "
            "collator:text backers:json pov_size:int collated_at:time seconded_at:time backed_at:time "
            "available_at:time included_at:time approved_at:time final_at:time relay_block:u32 outcome:category"
        ),
        """
        SELECT c.candidate, MAX(c.para_id) AS para_id, MAX(c.chain) AS chain, MAX(c.head) AS head,
          MAX(c.relay_parent) AS relay_parent, MAX(c.core) AS core, MAX(c.backing_group) AS backing_group,
          MAX(c.collator) AS collator, MAX(c.backers) AS backers,
          MAX(c.pov_size) AS pov_size,
          MIN(CASE WHEN c.stage = 'collated' THEN c.at END) AS collated_at,
          MIN(CASE WHEN c.stage = 'seconded' THEN c.at END) AS seconded_at,
          MIN(CASE WHEN c.stage = 'backed' THEN c.at END) AS backed_at,
          MIN(CASE WHEN c.stage IN ('available', 'included') THEN c.at END) AS available_at,
          MIN(CASE WHEN c.stage = 'included' THEN c.at END) AS included_at,
          MIN(CASE WHEN c.stage = 'approved' THEN c.at END) AS approved_at,
          MIN(CASE WHEN c.stage = 'included' THEN f.at END) AS final_at,
          MIN(CASE WHEN c.stage = 'included' THEN c.block END) AS relay_block,
          CASE WHEN SUM(c.stage = 'reverted') THEN 'reverted' WHEN SUM(c.stage = 'disputed') THEN 'disputed'
               WHEN SUM(c.stage = 'included') THEN 'included' WHEN SUM(c.stage = 'timed_out') THEN 'timed_out'
               WHEN NOT SUM(c.stage = 'backed') AND EXISTS (
                 SELECT 1 FROM refusals r WHERE r.chain = 'relay' AND r.candidate = c.candidate) THEN 'refused'
               ELSE 'open' END AS outcome
        FROM candidate_facts c
        LEFT JOIN finality f ON c.stage = 'included' AND f.chain = 'relay' AND f.hash = c.block_hash
        GROUP BY c.candidate
        """,
    ),
    "messages": View(
        "One row per message and leg of its way, with what became of it. `latency` ends where the execution counts: in "
        "the relay chain's block, or where that one includes the parachain's block; `latency_final` ends in finality.",
        _columns(
            "message_id:text hash:text kind:category origin:category dest:category extrinsic:text sender:text "
            "beneficiary:text xcm_version:int program:text instructions:int size:int topic:text parent_message:text "
            "sent_block:u32 "
            "sent_at:time routed_at:time executed_block:u32 executed_at:time final_at:time ok:bool status:stage "
            "error:category error_index:int error_instruction:category reason:text barrier:category weight_used:int "
            "fee_tx:amount fee_delivery:amount "
            "fee_execution:amount refunded:amount latency:span latency_final:span"
        ),
        f"""
        SELECT m.message_id, m.hash, m.kind, m.origin, m.dest, m.extrinsic, m.sender, m.beneficiary, m.xcm_version,
          m.program, m.instructions, m.size, m.topic, m.parent_message, m.block AS sent_block, m.at AS sent_at,
          {_first_hop("routed")} AS routed_at,
          o.block AS executed_block, o.at AS executed_at, f.at AS final_at, o.ok,
          CASE WHEN t.message_id IS NOT NULL THEN 'trapped' WHEN o.ok = 0 THEN 'failed'
               WHEN f.at IS NOT NULL THEN 'final' WHEN o.ok = 1 THEN 'executed'
               WHEN {_first_hop("queued")} IS NOT NULL THEN 'queued'
               WHEN {_first_hop("routed")} IS NOT NULL THEN 'routed' ELSE 'sent' END AS status,
          o.error, o.error_index, o.error_instruction, o.reason, o.barrier, o.weight_used, m.fee_tx, m.fee_delivery,
          o.fee_execution, o.refunded, COALESCE(i.at, CASE m.dest WHEN 'relay' THEN o.at END) - m.at AS latency,
          f.at - m.at AS latency_final
        FROM {_numbered("message_facts", chain="x.origin", leg="message_id, origin, dest")} m
        LEFT JOIN {_numbered("outcomes", chain="x.chain", leg="message_id, origin, chain")} o
          ON o.nth = m.nth AND o.message_id = m.message_id AND o.chain = m.dest AND o.origin = m.origin
        LEFT JOIN finality f ON f.chain = o.chain AND f.hash = o.block_hash
        LEFT JOIN ({_REACHED}) i ON i.stage = 'included' AND i.head = o.block_hash
        LEFT JOIN (SELECT DISTINCT message_id, chain, block_hash FROM traps WHERE action = 'trapped') t
          ON t.message_id = o.message_id AND t.chain = o.chain AND t.block_hash = o.block_hash
        """,
    ),
    "hops": View(
        "One row per message and stage it reached; `hop` counts a leg's stages, `dt` is the time since the one before.",
        {**TABLES["hops"].columns, "hop": "int", "dt": "span"},
        f"""
        SELECT s.*, ROW_NUMBER() OVER way - 1 AS hop, at - LAG(at) OVER way AS dt FROM (
          SELECT message_id, origin, dest, stage, chain, block, block_hash, arrival, at FROM hop_facts x
          WHERE NOT {_ABANDONED.format(chain="x.chain", row="x")}
          UNION ALL
          SELECT h.message_id, h.origin, h.dest, 'dest_' || c.stage, c.chain, c.block, c.block_hash, NULL, c.at
          FROM hop_facts h JOIN ({_REACHED}) c ON h.stage = 'executed' AND c.head = h.block_hash
          WHERE NOT {_ABANDONED.format(chain="h.chain", row="h")}
          UNION ALL
          SELECT h.message_id, h.origin, h.dest, 'final', h.chain, h.block, h.block_hash, NULL, f.at
          FROM hop_facts h JOIN finality f ON h.stage = 'executed' AND f.chain = h.chain AND f.hash = h.block_hash) s
        WINDOW way AS (PARTITION BY message_id, origin, dest ORDER BY at, {_stage_order("stage")})
        """,
    ),
    "assets": View(
        "One row per message, asset and role; `amount` is in whole tokens, for plots.",
        {**TABLES["assets"].columns, "amount": "float"},
        f"""
        SELECT x.*, CAST(amount_raw AS REAL) / CAST('1e' || COALESCE(decimals, 0) AS REAL) AS amount
        FROM asset_facts x WHERE NOT {_ABANDONED.format(chain="x.chain", row="x")}
        """,
    ),
    "instructions": View(
        "One row per executed XCM instruction, with the registers around it; without those of abandoned forks.",
        TABLES["instructions"].columns,
        f"SELECT x.* FROM instruction_facts x WHERE NOT {_ABANDONED.format(chain='x.chain', row='x')}",
    ),
    "trapped": View(
        "One row per trapped set of assets, with its claim.",
        _columns(_PLACE + "message_id:text hash:text origin:text assets:json at:time claimed_at:time claimed_by:text"),
        f"""
        WITH kept AS (SELECT x.*, ROW_NUMBER() OVER (PARTITION BY chain, hash, action ORDER BY at, position) AS nth
                      FROM traps x WHERE NOT {_ABANDONED.format(chain="x.chain", row="x")})
        SELECT t.chain, t.block, t.block_hash, t.message_id, t.hash, t.origin, t.assets, t.at,
          c.at AS claimed_at, c.who AS claimed_by
        FROM kept t
        LEFT JOIN kept c ON c.action = 'claimed' AND c.chain = t.chain AND c.hash = t.hash AND c.nth = t.nth
        WHERE t.action = 'trapped'
        """,
    ),
}

FRAMES: dict[str, dict[str, Kind]] = {
    **{name: table.columns for name, table in TABLES.items()},
    **{name: view.columns for name, view in VIEWS.items()},
}
"""Columns of everything that can be asked for by name."""


def stored_name(name: str) -> str:
    """Where SQLite keeps the facts of table `name`."""
    return TABLES[name].stored or name


def key_of(name: str) -> str:
    """SQL for the key of table `name`, in which no part is NULL."""
    return ", ".join(
        f'COALESCE("{column}", {OPTIONAL_KEYS[column]!r})' if column in OPTIONAL_KEYS else f'"{column}"'
        for column in TABLES[name].key
    )


def create_statements() -> list[str]:
    """SQL that makes an empty record."""
    affinity = {"int": "INTEGER", "u32": "INTEGER", "bool": "INTEGER", "time": "INTEGER", "float": "REAL"}
    statements = list[str]()
    for name, table in TABLES.items():
        columns = ", ".join(
            f'"{column}" {affinity.get(kind, "TEXT")}'
            + (" NOT NULL" if column in table.key and column not in OPTIONAL_KEYS else "")
            for column, kind in table.columns.items()
        )
        statements.append(f"CREATE TABLE {stored_name(name)} ({columns})")
        statements.append(f"CREATE UNIQUE INDEX {name}_key ON {stored_name(name)} ({key_of(name)})")
    statements += [f"CREATE VIEW {name} AS {view.select.strip()}" for name, view in VIEWS.items()]
    for table, columns in (("outcomes", "message_id"), ("finality", "chain, block"), ("candidate_facts", "head")):
        statements.append(f"CREATE INDEX {table}_by_{columns.split(', ')[-1]} ON {table} ({columns})")
    return statements
