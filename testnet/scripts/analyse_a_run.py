"""What a run's record answers: latencies, slow stages, failures, fees, block times.

testnet demo
python analyse_a_run.py                      # the latest run
python analyse_a_run.py runs/2026-11-21T05-11-02-demo
"""

import sys

import testnet


def main(which: str = "latest") -> None:
    run = testnet.load(which)
    messages = run.messages

    print("latency by channel, in seconds until the message is final")
    latency = messages.latency_final.dt.total_seconds().groupby([messages.origin, messages.dest], observed=True)
    print(latency.quantile([0.5, 0.9, 0.99]).unstack().to_string())

    print("\nseconds that each stage took")
    stages = run.hops.dt.dt.total_seconds().groupby(run.hops.stage, observed=True)
    print(stages.agg(["count", "median", "max"]).to_string())

    print("\nwhat failed, and where")
    failed = messages[messages.error.notna()]
    print(failed[["origin", "dest", "error", "error_index", "error_instruction", "reason"]].to_string(index=False))

    print("\ntrapped assets that nobody has claimed")
    trapped = run.trapped
    print(trapped[trapped.claimed_at.isna()][["chain", "origin", "assets"]].to_string(index=False))

    print("\nfees of execution, in whole tokens")
    fees = run.assets[run.assets.role == "fee"]
    print(fees.groupby(["chain", "symbol"], observed=True).amount.sum().to_string())

    print("\nseconds between relay blocks")
    relay = run.blocks[(run.blocks.chain == "relay") & (run.blocks.status == "final")]
    print(relay.sort_values("block")["at"].diff().dt.total_seconds().describe().to_string())

    print(f"\nconserved: {'yes' if (run.conserved().difference == 0).all() else 'no'}")
    run.close()


if __name__ == "__main__":
    main(*sys.argv[1:2])
