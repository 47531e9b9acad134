"""Computes the results in exact.txt again from its inputs, with 80 digits, and compares.

Needs Python 3 and mpmath. Uses the closed form of the gradient, not the nodes of the graph.
"""
import pathlib
from mpmath import mp, mpf, sqrt

mp.dps = 80


def read(path):
    lines = iter(path.read_text().splitlines())
    for line in lines:
        words = line.split()
        if not words or words[0] == "end":
            continue
        if words[0] == "case":
            case = {"name": words[1]}
            yield case
        elif len(words) == 2 and not words[1].isdigit():
            case[words[0]] = mpf(float(words[1]))
        else:
            rows = int(words[1]) if len(words) == 3 else 1
            case[words[0]] = [[mpf(float(v)) for v in next(lines).split()] for _ in range(rows)]


def results(case):
    x, dout = case["x"], case["dout"]
    n, columns = len(x), range(len(x[0]))
    total = lambda term: [sum(term(i, j) for i in range(n)) for j in columns]
    by_row = lambda term: [[term(i, j) for j in columns] for i in range(n)]
    gamma, beta = case["gamma"][0], case["beta"][0]
    mu = [s / n for s in total(lambda i, j: x[i][j])]
    var = [s / n for s in total(lambda i, j: (x[i][j] - mu[j]) ** 2)]
    ivar = [1 / sqrt(v + case["eps"]) for v in var]
    xhat = by_row(lambda i, j: (x[i][j] - mu[j]) * ivar[j])
    dbeta = total(lambda i, j: dout[i][j])
    dgamma = total(lambda i, j: dout[i][j] * xhat[i][j])
    dx = lambda i, j: gamma[j] * ivar[j] * (dout[i][j] - dbeta[j] / n - xhat[i][j] * dgamma[j] / n)
    return {
        "out": by_row(lambda i, j: gamma[j] * xhat[i][j] + beta[j]),
        "dx": by_row(dx), "dgamma": [dgamma], "dbeta": [dbeta], "mu": [mu], "var": [var],
    }


different = 0
cases = list(read(pathlib.Path(__file__).with_name("exact.txt")))
for case in cases:
    for key, rows in results(case).items():
        if [[float(v) for v in row] for row in rows] != [[float(v) for v in row] for row in case[key]]:
            print(case["name"], key, "differs")
            different += 1
print(len(cases), "cases,", different, "arrays that differ")
raise SystemExit(different > 0)
