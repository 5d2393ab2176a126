from itertools import product

from catsdogs.domain import Answer, TrueLabel, contradict, is_right


def test_an_answer_that_is_right_never_contradicts_a_good_rating() -> None:
    right = {(answer, label) for answer, label in product(Answer, TrueLabel) if is_right(answer, label)}
    assert right == {
        (Answer.CAT, TrueLabel.CAT),
        (Answer.CAT, TrueLabel.BOTH),
        (Answer.DOG, TrueLabel.DOG),
        (Answer.DOG, TrueLabel.BOTH),
        (Answer.NEITHER, TrueLabel.NEITHER),
    }
    for answer, label in product((Answer.CAT, Answer.DOG, Answer.NEITHER), TrueLabel):
        assert contradict(answer, 1, label) is not is_right(answer, label)
        assert contradict(answer, 0, label) is (label.value == answer.value)
