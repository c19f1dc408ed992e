from synth_tasks.release.source_code import code_digest, engine_digest


def test_the_digests_of_the_code_are_stable_and_differ():
    assert engine_digest() == engine_digest() != code_digest()
    assert len(engine_digest()) == 64
