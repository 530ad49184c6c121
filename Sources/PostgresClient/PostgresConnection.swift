import BelfryCore
import CLibPQ

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// One connection. Its calls block their thread, but never longer than ``PostgresSettings`` says, except for looking up the host's name; whoever uses
/// it has a thread for it.
package final class PostgresConnection {
    private let handle: OpaquePointer
    private let settings: PostgresSettings
    /// Statements the server has prepared, by their text.
    private var prepared: [String: String] = [:]
    /// More are not kept: each takes memory of the server.
    private static let preparedLimit = 256
    /// Broken, or with an answer outstanding that nobody will read: of no more use.
    package private(set) var isLost = false

    /// Connects and logs in.
    ///
    /// - Throws: ``PostgresFailure`` with `notConnected`.
    package init(_ address: PostgresAddress, _ settings: PostgresSettings)
        throws(PostgresFailure)
    {
        self.settings = settings
        guard let handle = Self.start(address) else {
            throw PostgresFailure(.notConnected, "no memory for a connection")
        }
        self.handle = handle
        // What the server remarks ("schema exists already") concerns nobody.
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
        try logIn()
        guard PQsetnonblocking(handle, 1) == 0 else { throw broken(.notConnected) }
        try setUp()
    }

    deinit { PQfinish(handle) }

    private static func start(_ address: PostgresAddress) -> OpaquePointer? {
        var options = [
            "fallback_application_name": "belfry",
            // A server that is gone without a word is noticed within a minute.
            "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3",
            "tcp_user_timeout": "30000",
        ]
        options.merge(address.options) { $1 }
        options["client_encoding"] = "UTF8"
        let keywords = options.keys.map { strdup($0) } + [nil]
        let values = options.values.map { strdup($0) } + [nil]
        defer { for text in keywords + values { free(text) } }
        return PQconnectStartParams(
            keywords.map { UnsafePointer($0) },
            values.map { UnsafePointer($0) },
            0
        )
    }

    private func logIn() throws(PostgresFailure) {
        let deadline = self.deadline(settings.connectTimeout)
        guard PQstatus(handle) != CONNECTION_BAD else { throw broken(.notConnected) }
        var next = PGRES_POLLING_WRITING
        while next != PGRES_POLLING_OK {
            guard next != PGRES_POLLING_FAILED else { throw broken(.notConnected) }
            let events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT
            guard wait(for: Int16(events), until: deadline) else {
                throw PostgresFailure(
                    .notConnected,
                    "no connection within \(settings.connectTimeout)"
                )
            }
            next = PQconnectPoll(handle)
        }
    }

    private func setUp() throws(PostgresFailure) {
        // The server ends a statement before we stop waiting for it: then it is certain that nothing was done.
        let least = max(1, settings.commandTimeout.milliseconds * 9 / 10)
        var wanted = settings.parameters
        wanted["statement_timeout"] = String(least)
        for (name, value) in wanted.sorted(by: { $0.key < $1.key }) {
            var parameters = PostgresParameters()
            parameters.append(name)
            parameters.append(value)
            try query("SELECT set_config($1, $2, false)", parameters)
        }
    }

    // MARK: Statements

    /// Runs one statement, prepared at its first use.
    ///
    /// - Throws: ``PostgresFailure`` with `refused`, `noAnswer`, or `notConnected` where nothing was sent.
    @discardableResult
    package func query(_ sql: String, _ parameters: PostgresParameters = PostgresParameters())
        throws(PostgresFailure) -> PostgresRows
    {
        let name = try prepare(sql)
        let answer = try ask {
            parameters.withPointers { count, values, lengths, formats in
                PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1)
            }
        }
        return PostgresRows(answer)
    }

    /// Runs statements without parameters, joined by semicolons; one transaction unless they say otherwise.
    package func run(_ script: String) throws(PostgresFailure) {
        PQclear(try ask { PQsendQuery(handle, script) })
    }

    private func prepare(_ sql: String) throws(PostgresFailure) -> String {
        if let name = prepared[sql] { return name }
        // The unnamed statement is replaced by the next one.
        let name = prepared.count < Self.preparedLimit ? "s\(prepared.count)" : ""
        PQclear(try ask { PQsendPrepare(handle, name, sql, 0, nil) })
        if !name.isEmpty { prepared[sql] = name }
        return name
    }

    /// Whether it can be used, as far as can be told without asking the server.
    package var isAlive: Bool {
        guard !isLost, PQstatus(handle) == CONNECTION_OK else { return false }
        // While nothing is asked, only a notice or a farewell can be there to be read; the end comes after it.
        while wait(for: Int16(POLLIN), until: 0) {
            guard PQconsumeInput(handle) == 1, PQstatus(handle) == CONNECTION_OK else {
                return false
            }
        }
        return true
    }

    /// Whether a transaction is open.
    package var isInTransaction: Bool {
        PQtransactionStatus(handle) != PQTRANS_IDLE
    }

    /// Sends, and reads the answer to its end.
    ///
    /// - Returns: the last result, which the caller clears.
    private func ask(_ send: () -> Int32) throws(PostgresFailure) -> OpaquePointer {
        guard send() == 1 else { throw broken(.notConnected) }
        let deadline = self.deadline(settings.commandTimeout)
        try flush(deadline)
        var last: OpaquePointer?
        var failure: PostgresFailure?
        while let result = try next(deadline, &last) {
            if failure == nil { failure = Self.failure(result) }
            PQclear(last)
            last = result
        }
        guard failure == nil, let last else {
            PQclear(last)
            throw failure ?? broken(.noAnswer)
        }
        return last
    }

    private func flush(_ deadline: Int64) throws(PostgresFailure) {
        while true {
            let state = PQflush(handle)
            if state == 0 { return }
            guard state == 1, wait(for: Int16(POLLIN | POLLOUT), until: deadline),
                PQconsumeInput(handle) == 1
            else { throw broken(.noAnswer) }
        }
    }

    private func next(_ deadline: Int64, _ last: inout OpaquePointer?) throws(PostgresFailure)
        -> OpaquePointer?
    {
        while PQisBusy(handle) == 1 {
            guard wait(for: Int16(POLLIN), until: deadline), PQconsumeInput(handle) == 1 else {
                PQclear(last)
                last = nil
                throw broken(.noAnswer)
            }
        }
        return PQgetResult(handle)
    }

    // MARK: Hints from others

    /// Waits for a notification, a farewell of the server, or something to be read from `doorbell`.
    ///
    /// - Returns: the payloads that have come.
    package func notifications(orReadable doorbell: Int32) throws(PostgresFailure) -> [String] {
        var sources = [
            pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0),
            pollfd(fd: doorbell, events: Int16(POLLIN), revents: 0),
        ]
        // Interrupted by a signal: whoever called looks again.
        _ = poll(&sources, 2, -1)
        guard PQconsumeInput(handle) == 1, PQstatus(handle) == CONNECTION_OK else {
            throw broken(.noAnswer)
        }
        var payloads: [String] = []
        while let note = PQnotifies(handle) {
            payloads.append(String(cString: note.pointee.extra))
            PQfreemem(note)
        }
        return payloads
    }

    // MARK: Waiting and failing

    private func deadline(_ span: Duration) -> Int64 {
        settings.clock.steadyMilliseconds() + span.milliseconds
    }

    /// - Returns: `false` where the time has run out.
    private func wait(for events: Int16, until deadline: Int64) -> Bool {
        while true {
            let left = deadline == 0 ? 0 : max(0, deadline - settings.clock.steadyMilliseconds())
            var source = pollfd(fd: PQsocket(handle), events: events, revents: 0)
            let ready = poll(&source, 1, Int32(clamping: left))
            if ready > 0 { return true }
            if ready == 0, left < Int64(Int32.max) { return false }
            if ready < 0, errno != EINTR { return false }
        }
    }

    private func broken(_ code: PostgresFailure.Code) -> PostgresFailure {
        isLost = true
        let words = String(cString: PQerrorMessage(handle)).split { "\n\t".contains($0) }
        let message = words.joined(separator: " ")
        return PostgresFailure(
            code,
            message.isEmpty ? "the server did not answer in time" : message
        )
    }

    /// Why a result is none; `nil` where it is one.
    private static func failure(_ result: OpaquePointer) -> PostgresFailure? {
        let status = PQresultStatus(result)
        guard ![PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY].contains(status) else {
            return nil
        }
        func field(_ name: Unicode.Scalar) -> String? {
            PQresultErrorField(result, Int32(name.value)).map { String(cString: $0) }
        }
        // PG_DIAG_SQLSTATE and PG_DIAG_MESSAGE_PRIMARY. Not the detail, which quotes values.
        guard let state = field("C") else {
            return PostgresFailure(
                .noAnswer,
                String(cString: PQresultErrorMessage(result)).split { "\n\t".contains($0) }
                    .joined(separator: " ")
            )
        }
        return PostgresFailure(.refused(state), "\(field("M") ?? "no reason given") (\(state))")
    }
}
