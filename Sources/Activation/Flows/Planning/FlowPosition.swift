package import BelfryCore
import Foundation

/// Where a person is in a flow: the payload of the one pending push. The message itself is made when it is sent, so that a corrected text
/// reaches everybody who has not got it yet.
package struct FlowPosition: Sendable, Hashable {
    package var flow: String
    /// The version whose structure the person follows.
    package var version: Int
    /// The step that is pending.
    package var step: String
    /// When the person entered, by the trigger's own time.
    package var started: Timestamp
    /// When the step before ended; for the first step, when the person entered. No push is due before it.
    package var anchor: Timestamp
    /// When this step is due; while it waits for the person to write, when it gives up waiting.
    package var due: Timestamp
    /// How far quiet hours and delays have moved the sequence so far.
    package var shift: Duration
    /// Whether the step waits for the person to write.
    package var isWaiting: Bool
    /// What came with the trigger.
    package var variables: [String: String]

    package init(
        flow: String,
        version: Int,
        step: String,
        started: Timestamp,
        anchor: Timestamp,
        due: Timestamp,
        shift: Duration = .zero,
        isWaiting: Bool = false,
        variables: [String: String] = [:]
    ) {
        self.flow = flow
        self.version = version
        self.step = step
        self.started = started
        self.anchor = anchor
        self.due = due
        self.shift = shift
        self.isWaiting = isWaiting
        self.variables = variables
    }

    /// Reads a payload.
    ///
    /// - Throws: ``InvalidPosition`` where the bytes were not written by ``payload``.
    package init(payload: [UInt8]) throws(InvalidPosition) {
        do {
            let wire = try JSONDecoder().decode(Wire.self, from: Data(payload))
            // Whoever may schedule pushes may write any numbers here; calendars take only some.
            guard [wire.t, wire.a, wire.d].allSatisfy(Self.times.contains),
                (0...Self.times.upperBound).contains(wire.x ?? 0)
            else { throw InvalidPosition(reason: "its times are out of range") }
            self.init(
                flow: wire.f,
                version: wire.v,
                step: wire.s,
                started: Timestamp(milliseconds: wire.t),
                anchor: Timestamp(milliseconds: wire.a),
                due: Timestamp(milliseconds: wire.d),
                shift: .milliseconds(wire.x ?? 0),
                isWaiting: wire.w == 1,
                variables: wire.n ?? [:]
            )
        } catch {
            throw InvalidPosition(reason: "the payload is no position in a flow: \(error)")
        }
    }

    /// From 1970 to the year 2500, in milliseconds.
    private static let times = 0...Int64(16_725_225_600_000)

    /// Compact JSON: every pending push of every flow carries it.
    package var payload: [UInt8] {
        var members: [MessageValue.Member] = [
            .init("f", .string(flow)), .init("v", .integer(Int64(version))),
            .init("s", .string(step)), .init("t", .integer(started.milliseconds)),
            .init("a", .integer(anchor.milliseconds)), .init("d", .integer(due.milliseconds)),
        ]
        if shift != .zero { members.append(.init("x", .integer(shift.milliseconds))) }
        if isWaiting { members.append(.init("w", .integer(1))) }
        if !variables.isEmpty {
            let pairs = variables.sorted { $0.key < $1.key }
            members.append(
                .init("n", .object(pairs.map { MessageValue.Member($0.key, .string($0.value)) }))
            )
        }
        return MessageValue.object(members).bytes
    }

    /// The members of the payload: flow, version, step, started (t), anchor, due, shift (x), waiting, variables (n).
    private struct Wire: Decodable {
        var f: String
        var v: Int
        var s: String
        var t: Int64
        var a: Int64
        var d: Int64
        var x: Int64?
        var w: Int?
        var n: [String: String]?
    }
}

/// A payload that is no ``FlowPosition``.
package struct InvalidPosition: Error, Sendable, Hashable, CustomStringConvertible {
    package var reason: String

    package init(reason: String) { self.reason = reason }

    package var description: String { reason }
}
