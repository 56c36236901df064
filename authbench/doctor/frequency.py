"""At which clock rate the cores run, and who decides it."""

from pathlib import Path

from authbench.doctor.finding import Told, about

CPUS = Path("/sys/devices/system/cpu")
HIDDEN = "cannot be set or seen from inside a virtual machine: go by `host speed`"


@about("governor", "a core that clocks up and down makes the same work cost different CPU time")
def governor(virtual: bool, cpus: Path = CPUS) -> Told:
    """The frequency governor of every core."""
    files = sorted(cpus.glob("cpu[0-9]*/cpufreq/scaling_governor"))
    modes = sorted({file.read_text(encoding="utf-8").strip() for file in files})
    if not modes:
        return _hidden(virtual)
    if modes == ["performance"]:
        return Told("good", "performance")
    return Told("fair", ", ".join(modes), "as root: `cpupower frequency-set -g performance` for the time of measuring")


@about("turbo", "boost depends on heat and on what the other cores do: speed drifts over minutes")
def turbo(virtual: bool, cpus: Path = CPUS) -> Told:
    """Whether the processor may clock above its nominal rate."""
    switches = {cpus / "intel_pstate" / "no_turbo": "0", cpus / "cpufreq" / "boost": "1"}
    for file, on in switches.items():
        if not file.exists():
            continue
        if file.read_text(encoding="utf-8").strip() == on:
            off = "1" if on == "0" else "0"
            return Told("fair", "on", f"as root: `echo {off} > {file}` for the time of measuring")
        return Told("good", "off")
    return _hidden(virtual)


def _hidden(virtual: bool) -> Told:
    if virtual:
        return Told("unknown", "not shown to this virtual machine", HIDDEN)
    return Told("unknown", "not shown by this kernel", "load the processor's cpufreq driver, or go by `host speed`")
