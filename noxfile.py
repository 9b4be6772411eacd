"""What is done again and again, each in an environment of its own: `nox`, `nox -s docs`.

`nox -l` lists the sessions. Without `-s` those run that every change should pass.
"""

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: style and likely bugs."""
    session.install("ruff>=0.6")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """The package's types, and those of a program that uses it."""
    session.install("-e", ".[dev]")
    session.run("mypy", "arbitrary_nst")
    session.run("python", "-m", "pytest", "-m", "slow", "tests/test_types.py")


@nox.session
def tests(session: nox.Session) -> None:
    """The quick tests; words after `--` go to pytest."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=PYTHONS)
def pythons(session: nox.Session) -> None:
    """The quick tests on each Python that is installed here."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """The slow tests, with Ray and JAX; those that need more say so and are skipped."""
    session.install("-e", ".[dev,ray]", "jax")
    session.run("python", "-m", "pytest", "-m", "slow", "-rs", *session.posargs)


@nox.session
def lowest(session: nox.Session) -> None:
    """A smoke run with the lowest versions that setup.cfg declares."""
    session.install("packaging")
    constraints = session.create_tmp() + "/lowest.txt"
    session.run("python", ".ci/lowest.py", "--extra", "test", "--output", constraints)
    session.install("--constraint", constraints, "-e", ".[test]")
    session.run("python", "-m", "pytest", "-m", "smoke")


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation site, in `site/`; a warning is an error."""
    session.install("-e", ".[docs]")
    # Material's announcement of its successor is no warning of ours.
    quiet = {"NO_MKDOCS_2_WARNING": "1"}
    session.run("mkdocs", "build", "--strict", *session.posargs, env=quiet)


@nox.session
def figures(session: nox.Session) -> None:
    """The pictures and figures of the docs; docs/figures.py says which data they need."""
    session.install("-e", ".[dev,ray]", "matplotlib")
    session.run("python", "docs/figures.py", *(session.posargs or ["--check"]))


@nox.session
def build(session: nox.Session) -> None:
    """The source archive and the wheel, in `dist/`."""
    session.install("build", "twine")
    session.run("python", "-m", "build")
    session.run("python", "-m", "twine", "check", "--strict", "dist/*")
