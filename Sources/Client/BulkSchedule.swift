/// Schedules pushes from lines of JSON, many lines a request, one request after another.
///
/// Each request is durable before the next is sent. Repeating a file that broke off half-way is harmless: known ids are replaced.
package struct BulkSchedule: Sendable {
    private let client: APIClient

    /// Far below the server's own limits (64 MiB, 200,000 lines), so that progress shows and a broken request costs little.
    private static let linesPerRequest = 20_000
    private static let bytesPerRequest = 8 << 20

    package init(_ client: APIClient) { self.client = client }

    /// What became of one line that was not accepted plainly.
    package struct Trouble: Sendable, Hashable {
        package var line: Int
        package var id: String
        /// Where in the line, as a JSON pointer.
        package var pointer: String
        package var detail: String
    }

    package struct Summary: Sendable, Hashable {
        /// So many refused lines are kept, the first ones.
        package static let kept = 1_000

        package var lines = 0
        package var accepted = 0
        package var replaced = 0
        package var parked = 0
        package var merged = 0
        package var errors = 0
        /// What the server said of the first refused lines.
        package var refused: [JSON] = []

        package init() {}

        package var json: JSON {
            .object([
                "lines": .integer(Int64(lines)), "accepted": .integer(Int64(accepted)),
                "replaced": .integer(Int64(replaced)), "parked": .integer(Int64(parked)),
                "merged": .integer(Int64(merged)), "errors": .integer(Int64(errors)),
                "refused": .array(refused),
            ])
        }
    }

    /// Sends everything.
    ///
    /// - Parameters:
    ///   - result: gets the server's answer to each line as a line of JSON, in order.
    ///   - trouble: gets each line that was refused.
    /// - Throws: ``ClientError``; `progress` then says up to which line the server has answered.
    package func run(
        _ source: inout LineSource,
        progress: inout Summary,
        result: ([UInt8]) -> Void = { _ in },
        trouble: (Trouble) -> Void
    ) async throws(ClientError) {
        while let chunk = try source.next(
            lines: Self.linesPerRequest,
            bytes: Self.bytesPerRequest
        ) {
            let numbers = Self.filledLines(chunk.text, from: chunk.first)
            guard !numbers.isEmpty else { continue }
            let answer = try await client.send(
                .post,
                "/v1/pushes:bulk",
                [],
                .init(type: "application/x-ndjson", bytes: chunk.text),
                .seconds(120)
            )
            try read(answer, numbers, &progress, result, trouble)
        }
    }

    /// The numbers of the lines that hold anything: the server counts only those.
    private static func filledLines(_ text: [UInt8], from first: Int) -> [Int] {
        var numbers: [Int] = []
        var line = first
        var isFilled = false
        for byte in text {
            if byte == UInt8(ascii: "\n") {
                if isFilled { numbers.append(line) }
                line += 1
                isFilled = false
            } else if byte > 0x20 {
                isFilled = true
            }
        }
        if isFilled { numbers.append(line) }
        return numbers
    }

    private func read(
        _ answer: [UInt8],
        _ numbers: [Int],
        _ progress: inout Summary,
        _ result: ([UInt8]) -> Void,
        _ trouble: (Trouble) -> Void
    ) throws(ClientError) {
        var index = 0
        for line in answer.split(separator: UInt8(ascii: "\n")) {
            progress.lines += 1
            let number = index < numbers.count ? numbers[index] : progress.lines
            index += 1
            if let status = Self.plain.first(where: { line.ends(with: $0.ending) }) {
                progress[keyPath: status.count] += 1
                result(Array(line))
                continue
            }
            progress.errors += 1
            var members = try JSON(parsing: line).members
            members["line"] = .integer(Int64(number))
            result(JSON.object(members).bytes)
            if progress.refused.count < Summary.kept { progress.refused.append(.object(members)) }
            trouble(
                Trouble(
                    line: number,
                    id: members["id"]?.string ?? "",
                    pointer: members["pointer"]?.string ?? "",
                    detail: members["detail"]?.string ?? members["status"]?.string ?? ""
                )
            )
        }
        guard index == numbers.count else {
            throw .notJSON(start: "\(index) results for \(numbers.count) pushes")
        }
    }
}

extension BulkSchedule {
    private typealias Count = any WritableKeyPath<Summary, Int> & Sendable

    /// How a line ends that needs no closer look; most do, and parsing each would take longer than all the rest.
    private static let plain: [(ending: [UInt8], count: Count)] = [
        (Array(#","status":"accepted"}"#.utf8), \.accepted),
        (Array(#","status":"replaced"}"#.utf8), \.replaced),
        (Array(#","status":"merged"}"#.utf8), \.merged),
        (Array(#","status":"parked"}"#.utf8), \.parked),
    ]
}

extension BidirectionalCollection where Element: Equatable {
    fileprivate func ends(with ending: some BidirectionalCollection<Element>) -> Bool {
        reversed().starts(with: ending.reversed())
    }
}
