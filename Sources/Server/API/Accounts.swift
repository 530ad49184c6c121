import BelfryChannels
import BelfryCore
import BelfryRecords
import HTTPTypes
import Hummingbird

/// Accounts: the senders that Belfry speaks for.
extension API {
    var accounts: [Route] {
        [
            Route(
                method: .get,
                path: "/v1/accounts",
                access: .scope(.read),
                operation: Operation(
                    id: "listAccounts",
                    summary: "All accounts.",
                    tag: "accounts",
                    answer: "AccountList"
                )
            ) { call in try await listAccounts() },
            Route(
                method: .post,
                path: "/v1/accounts",
                access: .scope(.accounts),
                operation: Operation(
                    id: "createAccount",
                    summary: "Adds an account. Its secrets are sealed and never shown again.",
                    tag: "accounts",
                    body: .init("NewAccount"),
                    answer: "Account",
                    status: 201,
                    isIdempotent: true
                )
            ) { call in try await createAccount(call) },
            Route(
                method: .get,
                path: "/v1/accounts/{account}",
                access: .scope(.read),
                operation: Operation(
                    id: "getAccount",
                    summary: "One account.",
                    tag: "accounts",
                    answer: "Account"
                )
            ) { call in .json(self.json(try await account(call))) },
            Route(
                method: .patch,
                path: "/v1/accounts/{account}",
                access: .scope(.accounts),
                operation: Operation(
                    id: "updateAccount",
                    summary: "Changes the members that are given, and leaves the rest.",
                    tag: "accounts",
                    body: .init("AccountChanges"),
                    answer: "Account"
                )
            ) { call in try await updateAccount(call) },
            Route(
                method: .delete,
                path: "/v1/accounts/{account}",
                access: .scope(.accounts),
                operation: Operation(
                    id: "deleteAccount",
                    summary: "Removes an account with its secrets; people and history stay.",
                    tag: "accounts",
                    answer: "Done"
                )
            ) { call in try await deleteAccount(call) },
        ] + accountPauses
    }

    private var accountPauses: [Route] {
        [
            Route(
                method: .post,
                path: "/v1/accounts/{account}/pause",
                access: .scope(.accounts),
                operation: Operation(
                    id: "pauseAccount",
                    summary: "Holds every push of the account until it is resumed.",
                    tag: "accounts",
                    body: .init("Pause", required: false),
                    answer: "Account"
                )
            ) { call in
                var fields = try await call.fields(required: false)
                let reason = fields.optionalText("reason", 1...TextLimits.sentence)
                try fields.finish()
                return try await pause(call, reason ?? "paused by \(call.principal.name)")
            },
            Route(
                method: .post,
                path: "/v1/accounts/{account}/resume",
                access: .scope(.accounts),
                operation: Operation(
                    id: "resumeAccount",
                    summary: "Sends again what was held.",
                    tag: "accounts",
                    answer: "Account"
                )
            ) { call in try await pause(call, nil) },
        ]
    }

    private func json(_ account: AccountRecord) -> JSONValue {
        let circuits = CircuitFields.json(server.openCircuits(account.key))
        return .object((settings(account).members ?? []) + [.init("circuits", circuits)])
    }

    /// What is kept of an account.
    private func settings(_ account: AccountRecord) -> JSONValue {
        AccountFields.json(account, publicURL: server.configuration.publicURL())
    }

    private var reachable: WebhookGuard.Allowed {
        WebhookGuard.Allowed(server.configuration.webhook.allow)
    }

    /// The account that the path names.
    func account(_ call: Call) async throws -> AccountRecord {
        let key = try call.parameter("account")
        guard let account = try await server.records.accounts.find(key) else {
            throw Problem.notFound("account '\(key)'")
        }
        return account
    }

    private func listAccounts() async throws -> Response {
        let accounts = try await server.records.accounts.all()
        return .json(["items": .array(accounts.map { json($0) })])
    }

    private func createAccount(_ call: Call) async throws -> Response {
        var fields = try await call.fields()
        let key = fields.text("key", 1...PushLimits.accountBytes)
        let kind = fields.choice("kind", AccountRecord.Kind.self) ?? .wechat
        var account = AccountRecord(key: key, kind: kind)
        AccountFields.apply(&fields, to: &account, reachable: reachable)
        try fields.finish()
        guard try await server.records.accounts.find(key) == nil else {
            throw Problem(.conflict, "The account '\(key)' exists; change it with PATCH.")
        }
        let saved = try await server.records.accounts.save(account)
        try await changed(key)
        try await audit(call, "account.create", "account/\(key)", after: settings(saved))
        return .json(
            json(saved),
            status: .created,
            headers: [.location: "/v1/accounts/\(key)"]
        )
    }

    private func updateAccount(_ call: Call) async throws -> Response {
        let before = try await account(call)
        var account = before
        var fields = try await call.fields()
        AccountFields.apply(&fields, to: &account, reachable: reachable)
        try fields.finish()
        let saved = try await server.records.accounts.save(account)
        try await changed(account.key)
        try await audit(
            call,
            "account.update",
            "account/\(account.key)",
            before: settings(before),
            after: settings(saved)
        )
        return .json(json(saved))
    }

    private func deleteAccount(_ call: Call) async throws -> Response {
        let account = try await account(call)
        try await server.records.accounts.remove(account.key)
        try await changed(account.key)
        try await audit(call, "account.delete", "account/\(account.key)", before: settings(account))
        return .json(["status": "deleted"])
    }

    private func pause(_ call: Call, _ reason: String?) async throws -> Response {
        let before = try await account(call)
        try await server.records.accounts.pause(before.key, reason: reason)
        try await changed(before.key)
        let action = reason == nil ? "account.resume" : "account.pause"
        let after = try await account(call)
        try await audit(call, action, "account/\(before.key)", after: ["paused": .text(reason)])
        return .json(json(after))
    }

    private func changed(_ account: String) async throws {
        try await server.accounts.reload(account)
        server.feed.publish(
            LiveEvent(topic: "account", account: account, data: ["account": .string(account)])
        )
    }
}
