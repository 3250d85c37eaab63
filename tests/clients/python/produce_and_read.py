"""confluent-kafka produces with every codec, acks and idempotence and reads back by assign.

Arguments: bootstrap servers, then one topic per case as CODEC:ACKS:IDEMPOTENT:TOPIC. Prints one line per case.
"""

import random
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

PARTITIONS = 3
RECORDS = 100
WITHIN_SECONDS = 30


def samples(seed):
    """(key, value, headers) of one partition: nulls, empties, binary, a large one."""
    rng = random.Random(seed)

    def some(most):
        return rng.choice([None, b"", rng.randbytes(rng.randrange(1, most))])

    records = []
    for number in range(RECORDS):
        value = some(100_000 if number % 50 == 9 else 300)
        headers = [("header-%d" % h, some(10)) for h in range(rng.randrange(3))]
        records.append((some(10), value, headers))
    return records


def produce(bootstrap, topic, codec, acks, idempotent, sent):
    producer = Producer({
        "bootstrap.servers": bootstrap,
        "compression.codec": codec,
        "acks": acks,
        "enable.idempotence": idempotent == "true",
        # Without idempotence a retry overtakes what was sent after it.
        "max.in.flight.requests.per.connection": 5 if idempotent == "true" else 1,
        "batch.num.messages": 30,
        "message.timeout.ms": 20_000,
    })
    reports = []

    def on_delivery(error, message):
        reports.append((str(error) if error else None, message.partition(), message.offset()))

    for number in range(RECORDS):
        for partition in range(PARTITIONS):
            key, value, headers = sent[partition][number]
            producer.produce(
                topic, value, key, partition, on_delivery=on_delivery, headers=headers or None
            )
        producer.poll(0)
    left = producer.flush(WITHIN_SECONDS)
    assert left == 0, f"{left} records undelivered"
    errors = [error for error, _, _ in reports if error]
    assert not errors, errors[:3]
    if acks != "0":
        expected = sorted((p, o) for p in range(PARTITIONS) for o in range(RECORDS))
        assert sorted((p, o) for _, p, o in reports) == expected, "acknowledged offsets"


def read(bootstrap, topic, codec, sent):
    consumer = Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": "never-joined",
        "enable.auto.commit": False,
        "check.crcs": True,
        # A client that closes waits for its last fetch: the default's half second in some cases is enough.
        "fetch.wait.max.ms": 500 if codec == "none" else 10,
    })
    consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in range(PARTITIONS)])
    counts = [0] * PARTITIONS
    until = time.monotonic() + WITHIN_SECONDS
    while sum(counts) < PARTITIONS * RECORDS:
        left = until - time.monotonic()
        assert left > 0, f"read only {counts}"
        for message in consumer.consume(500, timeout=min(left, 0.2)):
            assert not message.error(), message.error()
            partition = message.partition()
            assert message.offset() == counts[partition], (message.offset(), counts)
            got = (message.key(), message.value(), message.headers() or [])
            wanted = sent[partition][counts[partition]]
            assert got == wanted, f"partition {partition} offset {message.offset()}: {got} for {wanted}"
            counts[partition] += 1
    low, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
    assert (low, high) == (0, RECORDS), (low, high)
    consumer.close()


def in_a_group(bootstrap, topic, sent):
    """Subscribes, reads all of it as the member of a group, commits, and finds the commits again."""
    settings = {
        "bootstrap.servers": bootstrap,
        "group.id": f"{topic}-readers",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    }
    consumer = Consumer(settings)
    consumer.subscribe([topic])
    left = sum(len(of_partition) for of_partition in sent)
    until = time.monotonic() + 60
    while left > 0:
        if time.monotonic() > until:
            raise RuntimeError(f"{left} records of {topic} did not reach the group")
        message = consumer.poll(1)
        if message is not None:
            if message.error():
                raise RuntimeError(message.error())
            left -= 1
    consumer.commit(asynchronous=False)
    partitions = [TopicPartition(topic, p) for p in range(PARTITIONS)]
    committed = [p.offset for p in consumer.committed(partitions, timeout=30)]
    consumer.close()
    if committed != [len(of_partition) for of_partition in sent]:
        raise RuntimeError(f"committed {committed} of {topic}")


def listed(bootstrap, topic):
    """Asks for all topics, which librdkafka does in words of its own."""
    topics = AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=30).topics
    if topic not in topics:
        raise RuntimeError(f"{topic} is not among {sorted(topics)}")


def main():
    bootstrap = sys.argv[1]
    for number, case in enumerate(sys.argv[2:]):
        codec, acks, idempotent, topic = case.split(":")
        sent = [samples(number * PARTITIONS + p) for p in range(PARTITIONS)]
        try:
            produce(bootstrap, topic, codec, acks, idempotent, sent)
            read(bootstrap, topic, codec, sent)
            # Once: each group waits three seconds for further members.
            if number == 0:
                in_a_group(bootstrap, topic, sent)
            listed(bootstrap, topic)
        except Exception:
            print("FAILED", case, flush=True)
            raise
        print("ok", case, flush=True)


main()
