import BelfryCore
import BelfryRecords
import HTTPTypes
import Hummingbird

/// API keys.
extension API {
    var administration: [Route] {
        [
            Route(
                method: .get,
                path: "/v1/keys",
                access: .scope(.admin),
                operation: Operation(
                    id: "listKeys",
                    summary: "All keys, newest first, without the keys themselves.",
                    tag: "keys",
                    answer: "KeyList"
                )
            ) { _ in
                let keys = try await server.records.keys.all()
                return .json(["items": .array(keys.map { Self.json($0) })])
            },
            Route(
                method: .post,
                path: "/v1/keys",
                access: .scope(.admin),
                operation: Operation(
                    id: "createKey",
                    summary: "Makes a key; the answer shows it this once.",
                    tag: "keys",
                    body: .init("NewKey"),
                    answer: "CreatedKey",
                    status: 201
                )
            ) { call in try await createKey(call) },
            Route(
                method: .delete,
                path: "/v1/keys/{key}",
                access: .scope(.admin),
                operation: Operation(
                    id: "revokeKey",
                    summary: "Revokes a key, at once.",
                    tag: "keys",
                    answer: "Done"
                )
            ) { call in try await revokeKey(call) },
        ]
    }

    private static func json(_ key: KeyRecord) -> JSONValue {
        [
            "id": .string(key.id), "name": .string(key.name),
            "scopes": .array(key.scopes.map { .string($0) }), "created": .time(key.created),
            "expires": .time(key.expires), "revoked": .time(key.revoked),
            "last_used": .time(key.lastUsed),
        ]
    }

    private func createKey(_ call: Call) async throws -> Response {
        var fields = try await call.fields()
        let name = fields.text("name", 1...TextLimits.name)
        let words = fields.texts("scopes", count: 1...Scope.allCases.count) ?? []
        for (index, word) in words.enumerated() where Scope(rawValue: word) == nil {
            let known = Scope.allCases.map(\.rawValue).joined(separator: ", ")
            fields.note("scopes/\(index)", "value", "must be one of \(known)")
        }
        if words.isEmpty, fields.problems.isEmpty {
            fields.note("scopes", "missing", "is needed")
        }
        let expires = fields.time("expires")
        let now = server.clock.now()
        if let expires, expires <= now { fields.note("expires", "past", "is in the past") }
        try fields.finish()
        var generator = SystemRandomNumberGenerator()
        let key = APIKey.make(using: &generator)
        let id = key.id
        let record = KeyRecord(
            id: id,
            name: name,
            key: Secret(key.text),
            scopes: words,
            created: now,
            expires: expires
        )
        try await server.records.keys.add(record)
        try await audit(call, "key.create", "key/\(id)", after: Self.json(record))
        return .json(
            [
                "id": .string(id), "name": .string(name),
                "scopes": .array(words.map { .string($0) }), "key": .string(key.text),
            ],
            status: .created,
            headers: [.location: "/v1/keys/\(id)"]
        )
    }

    private func revokeKey(_ call: Call) async throws -> Response {
        let id = try call.parameter("key")
        guard try await server.records.keys.revoke(id) else {
            throw Problem.notFound("key '\(id)' that still works")
        }
        server.keys.refresh()
        sessions.closeAll(of: id)
        try await audit(call, "key.revoke", "key/\(id)")
        return .json(["status": "revoked"])
    }
}
