"""The table of measures: how labels become the values of `_lists`, what a measure divides by, and its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .._checks import IntArray
from .._registry import Registry
from . import _aspects, _lists, _order, _values
from ._convention import TIES, Convention, Vector, discounts, gains

EVERY = ("single_document", "missing_queries", "average")
TIED = ("ties", "tie_samples", "tie_seed")
ON_LABELS = (*TIED, "no_relevant", "relevant_from", *EVERY, "unjudged")
ON_GAINS = ("gain", "discount", *TIED, "no_relevant", *EVERY, "unjudged")
ON_PAIRS = ("no_relevant", *EVERY, "unjudged")
CLOSED = tuple(rule for rule in TIES if rule != "sampled")
OF_ASPECTS = tuple(rule for rule in CLOSED if rule != "worst")
ORDERED = tuple(rule for rule in OF_ASPECTS if rule != "expected")


@dataclass(frozen=True)
class Definition:
    """A measure without its cutoff and convention.

    of_list : the function of one ranked list; see `_lists`.
    value : (y, convention, name of the measure) -> what each document is worth; 0 means not relevant.
    uses : the fields of the convention that it depends on.
    words : what it is, in a sentence's beginning.
    formula : the same as a formula of the symbols that `_catalog` explains.
    source : where it was proposed.
    norm : (value, query_ptr, convention, k, n_jobs) -> what each query's list is divided by; 1 where there is none.
    table : (convention, n) -> weights of the first n places.
    cutoff : whether it takes one: "optional", "needed" or "none".
    closed_forms : the rules of ties that it has in closed form; by all others it is sampled.
    whole : whether it is of all documents of a query, and not only of those ranked.
    graded : whether a query in which all values are 0 has nothing relevant.
    aspects : what a column of the table of aspects is, where the measure is of these; `value` then is given the table.
    combine : (n_aspects, n_queries) -> one number for each query; the sum where there is none.
    own : the user's function of labels, where the measure is one that a user made.
    higher_is_better : whether more is better.
    """

    of_list: Callable[..., Any]
    value: Callable[[Vector, Convention, str], Vector]
    uses: tuple[str, ...]
    words: str
    formula: str = ""
    source: str = ""
    norm: Callable[[Vector, IntArray, Convention, int, int | None], Vector] | None = None
    table: Callable[[Convention, int], Vector] | None = None
    cutoff: str = "optional"
    closed_forms: tuple[str, ...] = CLOSED
    whole: bool = False
    graded: bool = True
    aspects: str = ""
    combine: Callable[[Any], Vector] | None = None
    own: Callable[..., float] | None = None
    higher_is_better: bool = True


MEASURES: Registry[Definition] = Registry("measure")
JARVELIN = "Järvelin and Kekäläinen, TOIS 2002"
RIJSBERGEN = "van Rijsbergen, Information Retrieval, 1979"
CLARKE = "Clarke et al., SIGIR 2008"

MEASURES.add("ndcg", "ndcg_cut")(
    Definition(
        _lists.dcg, gains, (*ON_GAINS, "short_list"), "discounted gain divided by its highest value",
        "Σ_r g_r d_r / max Σ_r g_r d_r", f"{JARVELIN}; gain exp: Burges et al., ICML 2005",
        norm=_values.ideal, table=discounts,
    )
)  # fmt: skip
MEASURES.add("dcg")(
    Definition(_lists.dcg, gains, ON_GAINS, "discounted gain", "Σ_r g_r d_r", JARVELIN, table=discounts)
)
MEASURES.add("ap", "map", "map_cut")(
    Definition(
        _lists.ap, _values.relevant, ON_LABELS,
        "precision summed over relevant ranks, divided by all relevant documents", "Σ_r b_r P_r / R",
        "Buckley and Voorhees, in: TREC, MIT Press 2005; ties: McSherry and Najork, ECIR 2008", norm=_values.total,
    )
)  # fmt: skip
MEASURES.add("rr", "mrr", "recip_rank")(
    Definition(
        _lists.rr, _values.relevant, ON_LABELS, "1 / rank of the first relevant document", "1 / min {r: b_r = 1}",
        "Voorhees, TREC-8, 1999",
    )
)  # fmt: skip
MEASURES.add("p", "precision")(
    Definition(
        _lists.found, _values.relevant, ON_LABELS, "relevant documents found, divided by the cutoff", "Σ_r b_r / k",
        RIJSBERGEN, norm=_values.cutoff, cutoff="needed",
    )
)  # fmt: skip
MEASURES.add("r", "recall")(
    Definition(
        _lists.found, _values.relevant, ON_LABELS, "relevant documents found, divided by all relevant documents",
        "Σ_r b_r / R", RIJSBERGEN, norm=_values.total, cutoff="needed",
    )
)  # fmt: skip
MEASURES.add("f", "f1")(
    Definition(
        _lists.found, _values.relevant, (*ON_LABELS, "beta"), "weighted harmonic mean of precision and recall",
        "(1 + β²) Σ_r b_r / (β² R + k)", RIJSBERGEN, norm=_values.harmonic, cutoff="needed",
    )
)  # fmt: skip
MEASURES.add("hit", "hit_rate", "hr", "success")(
    Definition(
        _lists.hit, _values.relevant, ON_LABELS, "1 where a relevant document is found, else 0", "max_r b_r",
        "Deshpande and Karypis, TOIS 2004", cutoff="needed",
    )
)  # fmt: skip
MEASURES.add("rprec", "r_precision")(
    Definition(
        _lists.r_precision, _values.relevant, ON_LABELS,
        "relevant documents found in as many places as there are relevant documents, divided by these",
        "Σ_(r ≤ R) b_r / R", "Buckley and Voorhees, SIGIR 2000", norm=_values.total, cutoff="none",
    )
)  # fmt: skip
MEASURES.add("err")(
    Definition(
        _lists.err, _values.stopping, (*TIED, "no_relevant", "max_grade", *EVERY, "unjudged"),
        "expected 1 / rank at which a user stops, who stops at grade y by (2^y - 1) / 2^max_grade",
        "Σ_r (1/r) q_r Π_(i < r) (1 - q_i)", "Chapelle et al., CIKM 2009", table=_values.reciprocal,
    )
)  # fmt: skip
MEASURES.add("rbp")(
    Definition(
        _lists.dcg, _values.relevant, (*ON_LABELS, "persistence"),
        "relevant documents weighed by the chance that a user gets there, who goes on by the persistence",
        "(1 - p) Σ_r b_r p^(r - 1)", "Moffat and Zobel, TOIS 2008", table=_values.persistent,
    )
)  # fmt: skip
MEASURES.add("bpref")(
    Definition(
        _lists.bpref, _values.judged_relevant, tuple(each for each in ON_LABELS if each != "unjudged"),
        "share of judged documents not relevant that stay below each relevant one; unjudged ones do not count",
        "(1/R) Σ_rel (1 - min(w, R) / min(N, R))", "Buckley and Voorhees, SIGIR 2004; as trec_eval computes it",
        cutoff="none", whole=True, closed_forms=OF_ASPECTS,
    )
)  # fmt: skip
MEASURES.add("infap")(
    Definition(
        _lists.inferred_ap, _values.judged_relevant, tuple(each for each in ON_LABELS if each != "unjudged"),
        "average precision expected of a pool of which a sample was judged",
        "(1/R) Σ_rel (1 + pooled above · share of them relevant) / r",
        "Yilmaz and Aslam, CIKM 2006; as trec_eval computes it", norm=_values.total_judged, closed_forms=ORDERED,
    )
)  # fmt: skip
MEASURES.add("q", "q_measure")(
    Definition(
        _lists.q_measure, gains, ("gain", *TIED, "no_relevant", *EVERY, "unjudged", "beta"),
        "average over relevant documents of count and gain so far, divided by rank and ideal gain",
        "(1/R) Σ_rel (C_r + β G_r) / (r + β G*_r)", "Sakai, NTCIR-4, 2004", table=_values.blending, whole=True,
    )
)  # fmt: skip
MEASURES.add("tau", "kendall_tau")(
    Definition(
        _order.tau, _values.labels, ON_PAIRS,
        "Kendall's tau-b of scores and labels: pairs in the right order less those in the wrong one",
        "(C - D) / √((n_0 - n_s) (n_0 - n_y))", "Kendall, Biometrika 1945", cutoff="none", whole=True, graded=False,
        closed_forms=(),
    )
)  # fmt: skip
MEASURES.add("tau_ap")(
    Definition(
        _order.tau_ap, _values.labels, (*TIED, *ON_PAIRS),
        "Kendall's tau weighed towards the top: share of documents above each that belong there, times 2, less 1",
        "2/(n - 1) Σ_(r > 1) C_r / (r - 1) - 1",
        "Yilmaz, Aslam and Robertson, SIGIR 2008; equal labels as tau_AP,a of Urbano and Marrero, ICTIR 2017",
        cutoff="none", whole=True, graded=False,
    )
)  # fmt: skip
MEASURES.add("auc")(
    Definition(
        _order.auc, _values.relevant, ON_LABELS, "share of pairs (relevant, not relevant) in the right order",
        "P(s_i > s_j | i relevant, j not) + P(s_i = s_j) / 2",
        "Hanley and McNeil, Radiology 1982; grouped: Zhu et al., KDD 2017", cutoff="none", whole=True,
    )
)  # fmt: skip
MEASURES.add("pairs", "pairwise_accuracy")(
    Definition(
        _order.pairs, _values.labels, (*TIED, *ON_PAIRS), "share of pairs of unequal labels in the right order",
        "P(s_i > s_j | y_i > y_j) + P(s_i = s_j | y_i > y_j) / 2", "Joachims, KDD 2002", cutoff="none", whole=True,
        graded=False,
    )
)  # fmt: skip
MEASURES.add("judged")(
    Definition(
        _lists.mean_value, _values.judged, (*TIED, *EVERY), "share of the documents found that have a judgment",
        "Σ_r j_r / min(k, n)", "Buckley and Voorhees, SIGIR 2004", closed_forms=OF_ASPECTS,
    )
)  # fmt: skip
MEASURES.add("alpha_ndcg")(
    Definition(
        _lists.err, _values.sated, ("discount", *TIED, "no_relevant", *EVERY, "alpha"),
        "discounted gain of aspects, each worth 1 - alpha of what it was after a document about it, divided by that of "
        "the list built greedily", "Σ_r d_r Σ_a b_ra (1 - α)^(c_ra) / greedy", CLARKE,
        norm=_values.ideal_cascade, table=discounts, closed_forms=OF_ASPECTS,
        aspects="1 where about the aspect, else 0",
    )
)  # fmt: skip
MEASURES.add("strec", "subtopic_recall", "aspect_coverage")(
    Definition(
        _aspects.covered, _values.about, (*TIED, "no_relevant", *EVERY), "share of the aspects that are found",
        "Σ_a max_r b_ra / number of aspects", "Zhai, Cohen and Lafferty, SIGIR 2003", norm=_values.aspects_there,
        cutoff="needed", closed_forms=OF_ASPECTS, aspects="1 where about the aspect, else 0",
    )
)  # fmt: skip
MEASURES.add("ild", "intra_list_diversity")(
    Definition(
        _aspects.alikeness, _values.directions, (*TIED, *EVERY),
        "mean cosine distance of pairs of documents", "mean over pairs of 1 - cos(a_i, a_j)",
        "Ziegler et al., WWW 2005; Castells et al., in: Recommender Systems Handbook, 2015",
        closed_forms=OF_ASPECTS, aspects="a coordinate of the document's vector",
        combine=lambda alike: 1 - alike.sum(axis=0),
    )
)  # fmt: skip
MEASURES.add("novelty")(
    Definition(
        _lists.mean_value, _values.information, (*TIED, *EVERY), "mean self-information of the documents, in bits",
        "Σ_r -log₂ p_r / min(k, n)", "Zhou et al., PNAS 2010", aspects="the share of users who know the document",
    )
)  # fmt: skip
