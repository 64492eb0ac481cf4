"""The rules of docs/architecture.md, read from the source; each is proved on a planted violation."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
Finding = tuple[int, str]

PAGES = ("pages/",)
UI = ("core/ui/", "pages/", "Home.py")
PROGRAM = ("core/", "pages/", "Home.py", "data/")
CLOCKS = ("core/ui/", "core/web/", "core/jobs/", "core/serve.py", "core/admin.py", "core/ask.py", "data/")
COMMANDS = ("__main__.py",)
SQL = ("core/db/", "data/demo/writer.py")  # the generator loads an empty database in bulk
VAGUE = {"utils", "util", "helpers", "helper", "manager", "managers", "misc", "common", "stuff"}
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
UNSAFE_CALLS = {
    "eval", "exec", "compile", "__import__", "pd.read_pickle", "pandas.read_pickle", "yaml.load", "np.load",
}  # fmt: skip


# --- reading source ---------------------------------------------------------------------------


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and full dotted name of everything imported: `from a import b` is `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, f"{'.' * node.level}{node.module or ''}.{alias.name}"


def dotted(node: ast.AST) -> str:
    """Return `a.b.c` for names and attributes, and an empty part for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, dotted(node.func)


def imports_of(*packages: str) -> Callable[[ast.Module], list[Finding]]:
    def find(tree: ast.Module) -> list[Finding]:
        return [
            (line, f"imports {name}")
            for line, name in imports(tree)
            if any(name == package or name.startswith(f"{package}.") for package in packages)
        ]

    return find


# --- the rules --------------------------------------------------------------------------------


def clock_readings(tree: ast.Module) -> list[Finding]:
    found = []
    for node, name in calls(tree):
        owner, _, method = name.rpartition(".")
        kind = owner.rpartition(".")[2]
        read = (method in {"now", "utcnow", "today"} and kind in {"datetime", "date", "Timestamp", "dt"}) or name in {
            "time.time",
            "time.localtime",
            "time.gmtime",
        }
        if read:
            found.append((node.lineno, f"reads the clock: {name}()"))
    return found


def unescaped_html(tree: ast.Module) -> list[Finding]:
    found = [
        (node.lineno, f"calls {name}")
        for node, name in calls(tree)
        if (name in {"st.html", "streamlit.html"} and not (node.args and isinstance(node.args[0], ast.Constant)))
        or name.endswith((".components.v1.html", "components.html"))
    ]
    return found + [
        (node.value.lineno, f"uses {node.arg}")
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg in {"unsafe_allow_html", "unsafe_allow_javascript"}
    ]


def unsafe_code(tree: ast.Module) -> list[Finding]:
    found = [(line, f"imports {name}") for line, name in imports(tree) if name.split(".")[0] in UNSAFE_MODULES]
    for node, name in calls(tree):
        if name in UNSAFE_CALLS or name.endswith(".to_pickle"):
            found.append((node.lineno, f"calls {name}"))
    return found


def raw_sql(tree: ast.Module) -> list[Finding]:
    """SQL as text is not narrowed to the actor's scope."""
    found = [
        (line, f"imports {name}")
        for line, name in imports(tree)
        if name in {"sqlalchemy.text", "sqlmodel.text", "sqlalchemy.sql.text"}
    ]
    for node, name in calls(tree):
        if name in {"sa.text", "sqlalchemy.text", "pd.read_sql", "pd.read_sql_query", "pd.read_sql_table"}:
            found.append((node.lineno, f"calls {name}"))
        elif name.endswith((".from_statement", ".exec_driver_sql")):
            found.append((node.lineno, f"calls {name.rpartition('.')[2]}"))
    return found


def bare_tables(tree: ast.Module) -> list[Finding]:
    """A statement over a table object goes past the scope of the session."""
    return [
        (node.lineno, "reaches for __table__")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "__table__"
    ]


def caches(tree: ast.Module) -> list[Finding]:
    return [
        (node.lineno, "uses st.cache_data")
        for node in ast.walk(tree)
        if dotted(node) in {"st.cache_data", "streamlit.cache_data"}
    ] + [(line, f"imports {name}") for line, name in imports(tree) if name == "streamlit.cache_data"]


def session_state(tree: ast.Module) -> list[Finding]:
    return [
        (node.lineno, "touches st.session_state")
        for node in ast.walk(tree)
        if dotted(node) in {"st.session_state", "streamlit.session_state"}
    ] + [(line, f"imports {name}") for line, name in imports(tree) if name == "streamlit.session_state"]


def unguarded_reruns(tree: ast.Module) -> list[Finding]:
    """Streamlit's own dialogs and fragments run again without asking who is still signed in."""
    bare = {"dialog", "fragment", "experimental_dialog", "experimental_fragment"}
    used = [
        (node.lineno, f"uses {dotted(node)}")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and dotted(node.value) in {"st", "streamlit"} and node.attr in bare
    ]
    taken = [
        (line, f"imports {name}")
        for line, name in imports(tree)
        if name.split(".")[0] == "streamlit" and name.rpartition(".")[2] in bare
    ]
    return used + taken


def open_page_comes_first(tree: ast.Module) -> list[Finding]:
    """Nothing but imports may stand before the page's guard, and the guard's name is its own."""
    if not any(name == "core.ui.page.open_page" for _line, name in imports(tree)):
        return [(1, "does not import open_page from core.ui.page")]
    for statement in tree.body:
        is_docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if is_docstring or isinstance(statement, ast.Import | ast.ImportFrom) or _only_for_types(statement):
            continue
        if isinstance(statement, ast.Assign | ast.Expr | ast.AnnAssign) and statement.value is not None:
            first = _evaluated_first(statement.value)
            if first == "open_page":
                return []
        return [(statement.lineno, "does something before open_page(…)")]
    return [(1, "never calls open_page(…)")]


def _evaluated_first(value: ast.expr) -> str:
    """Return the name of the call that runs first: `open_page` in `draw(open_page("funnel"))`."""
    while isinstance(value, ast.Call):
        if dotted(value.func) == "open_page":
            return "open_page"
        if not isinstance(value.func, ast.Name | ast.Attribute) or not value.args:
            return dotted(value.func)
        value = value.args[0]
    return ""


def _only_for_types(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and dotted(statement.test) in {
        "TYPE_CHECKING",
        "typing.TYPE_CHECKING",
    }


def gated_without_an_action(tree: ast.Module) -> list[Finding]:
    """`@query` and `@command` say which Action they need, by name."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if dotted(called).rpartition(".")[2] not in {"query", "command"}:
                continue
            first = decorator.args[0] if isinstance(decorator, ast.Call) and decorator.args else None
            if first is None or not dotted(first).startswith("Action."):
                found.append((node.lineno, f"{node.name} names no Action"))
    return found


def ungated(tree: ast.Module) -> list[Finding]:
    """A public function that takes `work` can be reached from outside, so it asks the policy."""
    return [
        (node.lineno, f"{node.name} takes work, is public, and asks for no Action")
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and node.args.args
        and node.args.args[0].arg == "work"
        and not node.decorator_list
    ]


def swallowed(tree: ast.Module) -> list[Finding]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            names = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(name is None or dotted(name) in {"Exception", "BaseException"} for name in names) and not any(
                isinstance(inner, ast.Raise) for inner in ast.walk(node)
            ):
                found.append((node.lineno, "catches everything"))
    return found


def beyond_the_standard_library(tree: ast.Module) -> list[Finding]:
    own = ("core.domain", "core.errors", "core.i18n")
    return [
        (line, f"imports {name}")
        for line, name in imports(tree)
        if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith((*own, "."))
    ]


@dataclass(frozen=True)
class Rule:
    """What must not be found `within`, save in `besides`; `caught` and `let_by` prove the finder."""

    name: str
    find: Callable[[ast.Module], list[Finding]]
    within: tuple[str, ...]
    besides: tuple[str, ...]
    caught: tuple[str, ...]
    let_by: tuple[str, ...] = ()

    def holds_for(self, path: str) -> bool:
        return path.startswith(self.within) and not path.startswith(self.besides) and not _is_named(path, self.besides)


def _is_named(path: str, endings: tuple[str, ...]) -> bool:
    return path.rpartition("/")[2] in endings


RULES = [
    Rule(
        "only core/ui, the pages and Home.py know Streamlit",
        imports_of("streamlit", "streamlit_authenticator"),
        PROGRAM,
        UI,
        caught=(
            "import streamlit as st",
            "from streamlit.testing import v1",
            "import streamlit_authenticator",
        ),
        let_by=("import streamlined",),
    ),
    Rule(
        "only core/web and Home.py know Starlette",
        imports_of("starlette", "fastapi"),
        PROGRAM,
        ("core/web/", "Home.py"),
        caught=("from starlette.routing import Route", "def f():\n    import starlette"),
    ),
    Rule(
        "only core/forecasting/prophet_model.py knows Prophet",
        imports_of("prophet", "cmdstanpy"),
        PROGRAM,
        ("core/forecasting/prophet_model.py",),
        caught=("from prophet import Prophet",),
    ),
    Rule(
        "the domain needs nothing but the standard library",
        beyond_the_standard_library,
        ("core/domain/",),
        (),
        caught=("import pandas as pd", "from core.model.deals import Deal", "from sqlalchemy import select"),
        let_by=("from decimal import Decimal\nfrom core.errors import NotFound\nfrom core.i18n import _",),
    ),
    Rule(
        "a page begins with open_page",
        open_page_comes_first,
        PAGES,
        ("pages/shared.py",),  # a share link's guard is core.ui.shared; the next test holds it there
        caught=(
            "import streamlit as st\nst.title('x')",
            "from core.ui.page import open_page\nrows = load()\nview = open_page('x')",
            "from core.ui.page import open_page\nview = other(load(), open_page('x'))",
            "from core.ui.page import open_page\nif True:\n    view = open_page('x')",
            "def open_page(name): ...\nopen_page('x')",
        ),
        let_by=(
            '"""Doc."""\nimport streamlit as st\nfrom core.ui.page import open_page\nview = open_page("x")',
            'from core.ui.page import open_page\nfrom core.ui.screens import x\nx.draw(open_page("x"))',
        ),
    ),
    Rule(
        "a page reaches data only through its view",
        imports_of("core.db", "core.model", "core.gate", "core.web", "sqlalchemy", "sqlmodel", "duckdb", "sqlite3"),
        PAGES,
        (),
        caught=(
            "from core.model.deals import Deal",
            "from core.db.work import Database",
            "import sqlalchemy as sa",
        ),
        let_by=("from core.queries.deals import open_deals",),
    ),
    Rule(
        "the clock is read at the edges alone",
        clock_readings,
        PROGRAM,
        (*CLOCKS, *COMMANDS),
        caught=(
            "date.today()",
            "x = datetime.now(UTC)",
            "import datetime\ndatetime.datetime.utcnow()",
            "time.time()",
        ),
        let_by=("work.now", "time.perf_counter()", "work.today", "pd.Timestamp(2026, 1, 1)"),
    ),
    Rule(
        "nothing is shown as raw HTML",
        unescaped_html,
        PROGRAM,
        (),
        caught=("st.markdown(x, unsafe_allow_html=True)", "st.html(x)", "components.html(x)"),
        let_by=("st.markdown(x)", "html.escape(x)", 'st.html("<style>b {color: red}</style>")'),
    ),
    Rule(
        "nothing that somebody sends is run or unpickled",
        unsafe_code,
        PROGRAM,
        (),
        caught=("import pickle", "eval(x)", "exec(x)", "pd.read_pickle(f)", "yaml.load(f)"),
        let_by=("re.compile(x)", "literal_eval(x)", "frame.eval"),
    ),
    Rule(
        "SQL as text stands in core/db alone",
        raw_sql,
        PROGRAM,
        SQL,
        caught=(
            "from sqlalchemy import select, text",
            "pd.read_sql(q, c)",
            "sa.text('x')",
            "select(D).from_statement(x)",
        ),
        let_by=("from sqlalchemy import select", "text('a caption')"),
    ),
    Rule(
        "tables are reached through their models",
        bare_tables,
        PROGRAM,
        SQL,
        caught=("select(Deal.__table__)",),
        let_by=("select(Deal)", "Deal.__tablename__"),
    ),
    Rule(
        "there is one cache, in core/ui/page.py",
        caches,
        PROGRAM,
        ("core/ui/page.py",),
        caught=(
            "@st.cache_data\ndef f(): ...",
            "@st.cache_data(ttl=3)\ndef f(): ...",
            "from streamlit import cache_data",
        ),
    ),
    Rule(
        "session state is core/ui's own affair",
        session_state,
        PROGRAM,
        ("core/ui/",),
        caught=("st.session_state['x'] = 1", "from streamlit import session_state"),
    ),
    Rule(
        "dialogs and fragments are those of core/ui/session.py",
        unguarded_reruns,
        PROGRAM,
        ("core/ui/session.py",),
        caught=(
            "@st.dialog('x')\ndef f(): ...",
            "@st.fragment\ndef f(): ...",
            "@st.fragment(run_every=3)\ndef f(): ...",
            "opened = st.dialog('x')(f)",
            "import streamlit\nstreamlit.dialog('x')(f)",
            "from streamlit import fragment",
        ),
        let_by=(
            "@dialog('x')\ndef f(): ...",
            "@session.fragment()\ndef f(): ...",
            "from core.ui.session import dialog",
            "st.rerun(scope='fragment')",
        ),
    ),
    Rule(
        "queries and commands name their Action",
        gated_without_an_action,
        PROGRAM,
        (),
        caught=(
            "@query\ndef f(work): ...",
            "@command()\ndef f(work): ...",
            "@query('view')\ndef f(work): ...",
        ),
        let_by=(
            "@query(Action.DEAL_VIEW)\ndef f(work): ...",
            "@gate.command(Action.DEAL_ADD)\ndef f(work): ...",
        ),
    ),
    Rule(
        "no exception is swallowed",
        swallowed,
        PROGRAM,
        (),
        caught=(
            "try: ...\nexcept Exception: ...",
            "try: ...\nexcept: ...",
            "try: ...\nexcept (KeyError, Exception): ...",
        ),
        let_by=("try: ...\nexcept KeyError: ...", "try: ...\nexcept BaseException:\n    undo()\n    raise"),
    ),
]


def by_name(rule: Rule) -> str:
    return rule.name.replace(" ", "-")


def sources() -> Iterator[tuple[str, ast.Module]]:
    for place in PROGRAM:
        path = ROOT / place
        for file in sorted(path.rglob("*.py") if path.is_dir() else [path] if path.exists() else []):
            name = file.relative_to(ROOT).as_posix()
            yield name, ast.parse(file.read_text(encoding="utf-8"), filename=name)


@pytest.fixture(scope="module")
def program() -> list[tuple[str, ast.Module]]:
    return list(sources())


def test_there_is_a_program_to_check(program):
    assert {"core/gate.py", "core/settings.py", "core/i18n.py"} <= {path for path, _tree in program}


@pytest.mark.parametrize("rule", RULES, ids=by_name)
def test_the_program_keeps_the_rule(rule, program):
    broken = [
        f"{path}:{line}: {what}" for path, tree in program if rule.holds_for(path) for line, what in rule.find(tree)
    ]
    assert not broken, f"{rule.name}:\n" + "\n".join(broken)


@pytest.mark.parametrize(
    ("rule", "source"),
    [(rule, source) for rule in RULES for source in rule.caught],
    ids=lambda value: str(value)[:40],
)
def test_the_rule_catches_a_planted_violation(rule, source):
    assert rule.find(ast.parse(source)), f"{rule.name} did not see: {source}"


@pytest.mark.parametrize(
    ("rule", "source"),
    [(rule, source) for rule in RULES for source in rule.let_by],
    ids=lambda value: str(value)[:40],
)
def test_the_rule_lets_proper_code_by(rule, source):
    assert rule.find(ast.parse(source)) == []


@pytest.mark.parametrize("rule", RULES, ids=by_name)
def test_each_rule_looks_at_some_place(rule):
    """An exception that covers the whole of `within` would make the rule empty."""
    assert any(rule.holds_for(f"{place}x.py" if place.endswith("/") else place) for place in rule.within)


# --- names and sizes --------------------------------------------------------------------------


def vague(name: str) -> bool:
    """Say whether a module's name tells nothing: utils, deal_helpers, data_loader."""
    parts = name.lower().removesuffix(".py").split("_")
    return bool(VAGUE & set(parts)) or (parts[0] == "data" and len(parts) > 1)


@pytest.mark.parametrize("name", ["utils.py", "deal_helpers.py", "session_manager", "data_loader.py", "misc"])
def test_vague_names_are_known(name):
    assert vague(name)


def test_modules_are_named_for_what_they_hold():
    named = [
        path.relative_to(ROOT).as_posix()
        for place in ("core", "pages", "data", "tests", "benchmarks")
        for path in (ROOT / place).rglob("*")
        if (path.suffix == ".py" or path.is_dir()) and "__pycache__" not in path.parts and vague(path.name)
    ]
    assert named == []


def test_page_files_are_plain_words():
    """The name is the address: no numbers, no pictures."""
    odd = [
        path.name
        for path in (ROOT / "pages").glob("*.py")
        if not path.stem.replace("_", "").isalpha() or not path.stem.isascii() or path.stem != path.stem.lower()
    ]
    assert odd == []


def test_pages_stay_short():
    long = {
        path.name: lines
        for path in (ROOT / "pages").glob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 130
    }
    assert long == {}


def test_nothing_in_the_program_names_the_machine_it_was_written_on():
    """Paths of one computer mean nothing on another."""
    marks = ("/" + "work/", "/" + "tmp/w/", "/" + "tmp/shots")
    told = [
        f"{path.relative_to(ROOT).as_posix()} names {mark}"
        for place in (
            "core",
            "pages",
            "data",
            "tests",
            "docs",
            "benchmarks",
            "Home.py",
            "README.md",
            "Makefile",
        )
        for path in ([ROOT / place] if (ROOT / place).is_file() else (ROOT / place).rglob("*"))
        if path.suffix in {".py", ".md", ".toml", ".po", ".yaml", ""} and path.is_file()
        for mark in marks
        if mark in path.read_text(encoding="utf-8")
    ]
    assert told == []


@pytest.mark.parametrize("source", ["def deals(work): ...", "def advance(work, *, deal_id): ..."])
def test_a_way_past_the_gate_is_seen(source):
    assert ungated(ast.parse(source))


def test_ungated_functions_are_those_that_other_commands_are_made_of(program):
    """Public functions over `work` without an Action are parts of commands, listed here by name."""
    found = {
        f"{path}:{what.split()[0]}"
        for path, tree in program
        if path.startswith("core/queries/")
        for _line, what in ungated(tree)
    }
    assert found <= PARTS_OF_QUERIES, f"ask for an Action, or make it private: {sorted(found - PARTS_OF_QUERIES)}"


PARTS_OF_QUERIES: set[str] = {
    "core/queries/customer_kpis.py:asked_of",  # whose purchases, for questions that ask for their own actions
    "core/queries/deal_needs.py:needing",  # a condition of the table of deals, which asks for its own action
    "core/queries/leaderboard.py:margins_for",  # who may see costs, for questions that ask for their own actions
    "core/queries/leaderboard_kept.py:people_of",  # what boards rest on, for questions that ask for their own actions
    "core/queries/leaderboard_kept.py:standings_of",  # likewise
    "core/queries/overview.py:key_figures",  # asked by Overview and Today, each under its own action
    "core/queries/overview.py:months_frame",  # asked by Overview and a rep's trend, likewise
    "core/queries/standpoint.py:looked_at",  # the facts of a day, for questions that ask for their own actions
    "core/queries/standpoint.py:splits_count",  # whether credit is spread, likewise
    "core/queries/usual_stays.py:known_usual_stays",  # how long won deals stayed in each stage, likewise
}


def test_the_page_of_share_links_does_nothing_but_hand_over_to_their_guard():
    lines = (ROOT / "pages/shared.py").read_text(encoding="utf-8").split()
    assert lines == ["from", "core.ui.shared", "import", "draw_shared", "draw_shared()"]
