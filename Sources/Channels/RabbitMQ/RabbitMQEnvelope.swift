import BelfryCore
import CRabbitMQ

/// Where messages go at a broker.
package struct RabbitMQRoute: Sendable, Hashable {
    /// Empty: the default exchange, whose routing keys are names of queues.
    package var exchange: String
    /// `{account}` stands for the account's key, the first time it occurs.
    package var routingKey: String

    package init(exchange: String, routingKey: String) {
        self.exchange = exchange
        self.routingKey = routingKey
    }

    func key(for message: OutboundMessage) -> String {
        routingKey.replacing("{account}", with: message.recipient.account, maxReplacements: 1)
    }
}

/// A message as the broker gets it: persistent, its id in the field for ids, the rest in headers.
struct RabbitMQEnvelope {
    /// Every text of it, one behind the other: librabbitmq takes addresses.
    private var bytes: [UInt8] = []
    private var id: Range<Int> = 0..<0
    private var exchange: Range<Int> = 0..<0
    private var key: Range<Int> = 0..<0
    private var body: Range<Int> = 0..<0
    private var texts: [(name: Range<Int>, value: Range<Int>)] = []
    private var numbers: [(name: Range<Int>, value: Int64)] = []
    private let seconds: UInt64

    /// - Parameter seconds: when it is sent, since 1970.
    init(_ message: OutboundMessage, _ route: RabbitMQRoute, _ seconds: UInt64) {
        self.seconds = seconds
        body = add(message.wireBody)
        id = add(message.wireID.utf8)
        exchange = add(route.exchange.utf8)
        key = add(route.key(for: message).utf8)
        texts = [
            (add("belfry-id".utf8), add(message.id.text.utf8)),
            (add("belfry-account".utf8), add(message.recipient.account.utf8)),
            (add("belfry-person".utf8), add(message.recipient.person.utf8)),
        ]
        numbers = [
            (add("belfry-asked".utf8), message.asked.milliseconds),
            (add("belfry-due".utf8), message.due.milliseconds),
            (add("belfry-attempt".utf8), Int64(message.attempt)),
        ]
    }

    private mutating func add(_ more: some Collection<UInt8>) -> Range<Int> {
        let start = bytes.count
        bytes += more
        return start..<bytes.count
    }

    /// - Returns: a status of librabbitmq.
    func publish(on connection: amqp_connection_state_t) -> Int32 {
        bytes.withUnsafeBytes { all in
            var entries = texts.map { entry(all, $0.name, AMQP_FIELD_KIND_UTF8) }
            for (index, text) in texts.enumerated() {
                entries[index].value.value.bytes = slice(all, text.value)
            }
            for number in numbers {
                var entry = entry(all, number.name, AMQP_FIELD_KIND_I64)
                entry.value.value.i64 = number.value
                entries.append(entry)
            }
            return entries.withUnsafeMutableBufferPointer { entries in
                var properties = properties(all)
                properties.headers = amqp_table_t(
                    num_entries: Int32(entries.count),
                    entries: entries.baseAddress
                )
                return amqp_basic_publish(
                    connection,
                    RabbitMQ.channel,
                    slice(all, exchange),
                    slice(all, key),
                    // Mandatory: what no queue takes comes back.
                    1,
                    0,
                    &properties,
                    slice(all, body)
                )
            }
        }
    }

    private func properties(_ all: UnsafeRawBufferPointer) -> amqp_basic_properties_t {
        var properties = amqp_basic_properties_t()
        properties._flags =
            UInt32(AMQP_BASIC_DELIVERY_MODE_FLAG) | UInt32(AMQP_BASIC_MESSAGE_ID_FLAG)
            | UInt32(AMQP_BASIC_TIMESTAMP_FLAG) | UInt32(bitPattern: AMQP_BASIC_HEADERS_FLAG)
        properties.delivery_mode = 2
        properties.message_id = slice(all, id)
        properties.timestamp = seconds
        return properties
    }

    private func entry(
        _ all: UnsafeRawBufferPointer,
        _ name: Range<Int>,
        _ kind: amqp_field_value_kind_t
    ) -> amqp_table_entry_t {
        var entry = amqp_table_entry_t()
        entry.key = slice(all, name)
        entry.value.kind = UInt8(kind.rawValue)
        return entry
    }

    private func slice(_ all: UnsafeRawBufferPointer, _ range: Range<Int>) -> amqp_bytes_t {
        // It is only read.
        let start = UnsafeMutableRawPointer(mutating: all.baseAddress)?.advanced(
            by: range.lowerBound
        )
        return amqp_bytes_t(len: range.count, bytes: start)
    }
}
