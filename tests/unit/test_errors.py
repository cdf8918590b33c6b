from commonplace.errors import CommonplaceError, DefectError, ModelError, from_wire, to_wire


def test_an_error_keeps_class_message_and_remedy_across_a_process():
    back = from_wire(to_wire(ModelError("The model is cut off.", "Download it again.")))
    assert isinstance(back, ModelError)
    assert (back.message, back.remedy) == ("The model is cut off.", "Download it again.")


def test_other_exceptions_become_defects():
    assert isinstance(from_wire(to_wire(KeyError("x"))), DefectError)
    assert isinstance(from_wire({"type": "SystemExit", "message": "no"}), DefectError)


def test_an_error_is_one_line():
    assert str(CommonplaceError("Two\nlines.", "Mend\nit.")) == "Two lines. Mend it."
