/// Who a server is, and what its replicas have of it.
package struct ServerStanding: Sendable, Equatable {
    /// Another one after a restart, and after it became a primary. Where the server does not tell: always the same.
    package var identity = "?"
    package var isPrimary = true
    /// Of a replica: `host:port` of the server that it follows.
    package var primary: String?
    /// How far its changes go.
    package var offset = 0
    /// How far each connected replica has followed.
    package var replicas: [Int] = []

    /// Reads the answers to `INFO server` and `INFO replication`.
    init(server: RedisReply, replication: RedisReply) {
        let server = server.lines
        let replication = replication.lines
        if let run = server["run_id"], let history = replication["master_replid"] {
            identity = "\(run.prefix(12))\(history.prefix(12))"
        }
        isPrimary = replication["role"] != "slave"
        if let host = replication["master_host"], let port = replication["master_port"] {
            primary = "\(host):\(port)"
        }
        offset = replication["master_repl_offset"].flatMap { Int($0) } ?? 0
        for (name, value) in replication where name.hasPrefix("slave") {
            // ip=127.0.0.1,port=6380,state=online,offset=1234,lag=0
            let words = value.split(separator: ",")
            guard words.contains("state=online"),
                let word = words.first(where: { $0.hasPrefix("offset=") }),
                let offset = Int(word.dropFirst(7))
            else { continue }
            replicas.append(offset)
        }
    }
}

extension RedisReply {
    /// The `name:value` lines of `INFO`.
    package var lines: [String: String] {
        var lines: [String: String] = [:]
        for line in (string ?? "").split(whereSeparator: \.isNewline) {
            let words = line.split(separator: ":", maxSplits: 1)
            if words.count == 2 { lines[String(words[0])] = String(words[1]) }
        }
        return lines
    }
}
