import unittest

from condition import Condition, Mistake, NoVerdict

EVENT = {"data": {"status": "FAILED"}}


class Conditions(unittest.TestCase):
    def test_a_condition_holds_when_the_field_is_the_text(self):
        self.assertTrue(Condition("status = FAILED").holds(EVENT))
        self.assertFalse(Condition("status = DONE").holds(EVENT))
        with self.assertRaises(NoVerdict):
            Condition("other = 1").holds(EVENT)

    def test_a_mistake_is_pointed_at(self):
        with self.assertRaises(Mistake) as caught:
            Condition("status")
        self.assertEqual(caught.exception.offset, 6)


if __name__ == "__main__":
    unittest.main()
