"""The one message that a broker cannot take is found, and no other is blamed."""

from inspector.publish.suspicion import ENOUGH, Suspicion

NONE = frozenset()


def lose(suspicion, *under_way, blamed=None, size_bytes=1000):
    return suspicion.lost(frozenset(under_way), blamed, size_bytes)


def test_what_was_under_way_at_a_loss_goes_alone():
    """One after the other, and only after what is under way is answered; the rest as ever."""
    suspicion = Suspicion()
    assert suspicion.apart((1, 2, 3), NONE) == 3
    lose(suspicion, 2, 3)
    assert suspicion.apart((1, 2, 3, 4), NONE) == 1
    assert suspicion.apart((2, 3, 4), frozenset({1})) == 0
    assert suspicion.apart((2, 3, 4), NONE) == 1
    assert suspicion.apart((3, 4), frozenset({2})) == 0
    assert suspicion.apart((4, 5), frozenset({3})) == 0
    assert suspicion.apart((4, 5), NONE) == 2


def test_a_loss_with_nothing_under_way_forgets_no_suspect():
    """The broker was not even asked."""
    suspicion = Suspicion()
    lose(suspicion, 2, 3)
    lose(suspicion)
    assert suspicion.suspects == {2, 3}


def test_enough_in_a_row_are_enough():
    """Of the same result, without another kind of loss between them."""
    suspicion = Suspicion()
    for _ in range(ENOUGH - 1):
        assert lose(suspicion, 7, blamed=7) is None
    assert lose(suspicion, 7) is None
    for _ in range(ENOUGH - 1):
        assert lose(suspicion, 7, blamed=7) is None
    assert lose(suspicion, 8, blamed=8) is None
    for _ in range(ENOUGH - 1):
        assert lose(suspicion, 7, blamed=7) is None
    assert lose(suspicion, 7, blamed=7) == ENOUGH


def test_what_is_as_large_as_one_that_was_given_up_is_given_up_at_once():
    """The broker hangs up on it, too; on a smaller one it has to do so as often as ever."""
    suspicion = Suspicion()
    for _ in range(ENOUGH):
        lose(suspicion, 1, blamed=1, size_bytes=5000)
    assert lose(suspicion, 2, blamed=2, size_bytes=5000) == 1
    assert lose(suspicion, 3, blamed=3, size_bytes=4999) is None
