import unittest

import message

ALERT = {
    "type": "workflow.failed",
    "workflow": {"graph_name": "nightly-etl", "run_id": "r1"},
    "event": {"id": "e1", "source": "/s"},
}


class Message(unittest.TestCase):
    def test_a_failed_run_becomes_a_message(self):
        self.assertEqual(
            message.write(ALERT, {}),
            {"text": "Alert: workflow.failed nightly-etl", "run": "r1"},
        )

    def test_a_title_of_another_type_is_a_problem(self):
        self.assertEqual(message.problems({"title": 7})[0][0], "/title")


if __name__ == "__main__":
    unittest.main()
