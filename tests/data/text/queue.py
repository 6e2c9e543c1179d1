"""A bounded queue, as an example of code with structure."""
import threading


class Queue:
    """First in, first out."""

    def __init__(self, limit):
        if limit < 1:
            raise ValueError("limit must be at least 1")
        self.limit = limit
        self.items = []
        self.lock = threading.Lock()

    def put(self, item):
        with self.lock:
            if len(self.items) == self.limit:
                return False
            self.items.append(item)
            return True

    def take(self):
        with self.lock:
            if not self.items:
                return None
            return self.items.pop(0)


def drain(queue):
    """Takes what is there."""
    taken = []
    while True:
        item = queue.take()
        if item is None:
            return taken
        taken.append(item)


if __name__ == "__main__":
    q = Queue(3)
    for word in ("one", "two", "three", "four"):
        print(word, q.put(word))
    print(drain(q))
