"""The logic of the bench, for both Python peers: an instance for every hundred records a second."""

from math import ceil

TARGET = 100


def total(sources):
    return sum(sample["value"] for sample in sources["rates"]["series"])


def wanted(sources, names):
    rates = dict.fromkeys(names, 0)
    for sample in sources["rates"]["series"]:
        if sample["node"] in rates:
            rates[sample["node"]] += sample["value"]
    return {name: max(1, ceil(rate / TARGET)) for name, rate in rates.items()}
