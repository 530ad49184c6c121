import BelfryCore

extension Benchmark {
    /// Pushes a second through the whole server: HTTP, parsing, checking, journal, answer for each.
    static let scheduleHTTP = Benchmark(
        "schedule.http",
        "bulk pushes over loopback HTTP, 120-byte payloads, client included; against POSTs of the same bytes to a server that only reads"
    ) { setting in
        let count = setting.count(400_000, least: BulkBodies.pushesPerRequest)
        let bodies = BulkBodies.make(count: count, due: SystemClock().now() + .days(30))
        let pushes = bodies.count * BulkBodies.pushesPerRequest
        let requests = bodies.map {
            RawRequest.post("/v1/pushes:bulk", type: "application/x-ndjson", body: $0)
        }
        let ours = try await BenchNode.during(folder: setting.folder) { port in
            try await Load(port: port, connections: 4).run(requests)
        }
        let accepted = ours.answers.reduce(0) { $0 + ($1.status == 200 ? $1.lines : 0) }
        guard accepted == pushes else {
            throw LoadFailure("\(accepted) of \(pushes) pushes were accepted")
        }
        let answer = BulkBodies.answer
        let raw = try await SinkServer.during(answering: answer) { port in
            try await Load(port: port, connections: 4).run(requests)
        }
        return [
            Measurement(
                "schedule.http",
                Double(pushes) / ours.seconds,
                "pushes/s",
                reference: Double(pushes) / raw.seconds
            )
        ]
    }
}

/// Bodies of bulk requests, laid out before anything is measured.
enum BulkBodies {
    static let pushesPerRequest = 5000

    /// Whole requests for about so many pushes, each push with an id and a person of its own.
    static func make(count: Int, due: Timestamp) -> [[UInt8]] {
        let payload = String(repeating: "belfry rings on time. ", count: 6).prefix(120)
        return (0..<max(1, count / pushesPerRequest)).map { request in
            var body: [UInt8] = []
            body.reserveCapacity(pushesPerRequest * 240)
            for index in 0..<pushesPerRequest {
                let number = request * pushesPerRequest + index
                let time = due.milliseconds + Int64(number % 86_400_000)
                body +=
                    """
                    {"id":"bench/\(number)","account":"bench","to":"person-\(number)",\
                    "due":\(time),"channel":"null","payload":"\(payload)"}

                    """.utf8
            }
            return body
        }
    }

    /// An answer as long as ours.
    static var answer: [UInt8] {
        var bytes: [UInt8] = []
        for number in 0..<pushesPerRequest {
            bytes += "{\"id\":\"bench/\(100_000 + number)\",\"status\":\"accepted\"}\n".utf8
        }
        return bytes
    }
}
