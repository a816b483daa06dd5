import collections, random
from tests.histories import History, Step, KINDS
from tests.test_ageing_oracle import compare
import pytest
C=collections.Counter(); R=collections.Counter(); E=collections.Counter()
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_stats(worlds):
    rng=random.Random()
    for n in range(120):
        with worlds() as w:
            h=History(w)
            for _ in range(60):
                s=Step(rng.choice(KINDS), rng.randrange(6), rng.randrange(6), rng.randrange(1,10), rng.randrange(9))
                before=h.refusals
                if h.take(s): C[s.kind]+=1
                elif h.refusals>before: R[s.kind]+=1
                else: E[s.kind]+=1
            compare(h)
            w.check()
    print(C); print(R); print(E)
