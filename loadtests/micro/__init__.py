"""Micro-benchmarks: what issuing, verifying, loading and saving a login costs in process, beside the floor of each.

`authbench micro` runs them in processes launched afresh and judges by intervals over launches; plain
`pytest loadtests/micro` runs them once, as pytest-benchmark does.
"""
