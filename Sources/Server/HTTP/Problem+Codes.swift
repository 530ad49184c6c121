import BelfryCore
import BelfryRecords
package import HTTPTypes
import NIOCore

extension Problem {
    /// Every kind of problem the API answers with: the one table of codes, statuses and titles.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        case malformed
        case invalid
        case unauthenticated
        case forbidden
        case notFound = "not_found"
        case methodNotAllowed = "method_not_allowed"
        case conflict
        case idempotencyConflict = "idempotency_conflict"
        case idempotencyMismatch = "idempotency_mismatch"
        case tooLarge = "too_large"
        case unsupportedMediaType = "unsupported_media_type"
        case tooSlow = "too_slow"
        case tooMany = "too_many"
        case full
        case unavailable
        case damaged
        case internalError = "internal"

        package var status: HTTPResponse.Status {
            switch self {
            case .malformed: .badRequest
            case .invalid, .idempotencyMismatch: .unprocessableContent
            case .unauthenticated: .unauthorized
            case .forbidden: .forbidden
            case .notFound: .notFound
            case .methodNotAllowed: .methodNotAllowed
            case .conflict, .idempotencyConflict: .conflict
            case .tooLarge: .contentTooLarge
            case .unsupportedMediaType: .unsupportedMediaType
            case .tooSlow: .requestTimeout
            case .tooMany: .tooManyRequests
            case .full: .init(code: 507, reasonPhrase: "Insufficient Storage")
            case .unavailable: .serviceUnavailable
            case .damaged, .internalError: .internalServerError
            }
        }

        package var title: String {
            switch self {
            case .malformed: "The request cannot be read"
            case .invalid: "Some fields are wrong"
            case .unauthenticated: "A valid API key is needed"
            case .forbidden: "The key lacks a scope"
            case .notFound: "No such thing"
            case .methodNotAllowed: "Not allowed here"
            case .conflict: "Somebody else changed it first"
            case .idempotencyConflict: "The same request is still in progress"
            case .idempotencyMismatch: "The idempotency key belongs to another request"
            case .tooLarge: "The body is too large"
            case .unsupportedMediaType: "This media type is not understood"
            case .tooSlow: "The request took too long to arrive"
            case .tooMany: "Too much at once"
            case .full: "There is no room left"
            case .unavailable: "Not available just now"
            case .damaged: "Stored data is damaged"
            case .internalError: "Something went wrong here"
            }
        }
    }

    /// What an error from below means to the caller. Errors that nobody foresaw say nothing about the inside.
    init(from error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as TimelineError: self.init(error)
        case let error as RecordsError: self.init(error)
        case let error as InvalidPush: self = .invalid(PushPointer.of(error.field), error.problem)
        case is NIOTooManyBytesError: self.init(.tooLarge, "The body is larger than allowed.")
        case let slow as SlowClient: self.init(.tooSlow, slow.description)
        case is CancellationError:
            self.init(.unavailable, "The server is stopping.", retryAfter: 5)
        default: self.init(.internalError, "The log has more under this request id.")
        }
    }

    private init(_ error: TimelineError) {
        switch error.code {
        case .full: self.init(.full, error.message, retryAfter: 10)
        case .closed: self.init(.unavailable, "The timeline is closed.", retryAfter: 5)
        case .invalid: self.init(.invalid, error.message)
        case .corrupt, .newerFormat: self.init(.damaged, error.message)
        case .io, .locked: self.init(.unavailable, error.message, retryAfter: 5)
        }
    }

    private init(_ error: RecordsError) {
        switch error.code {
        case .full: self.init(.full, error.message, retryAfter: 10)
        case .closed: self.init(.unavailable, "The records are closed.", retryAfter: 5)
        case .invalid:
            let parts = error.message.split(separator: ":", maxSplits: 1)
            // A field's name, not the words of a database.
            if parts.count == 2, parts[0] != "PostgreSQL" {
                self = .invalid(
                    "/\(parts[0])",
                    String(parts[1].drop { $0 == " " })
                )
            } else {
                self.init(.invalid, error.message)
            }
        case .conflict: self.init(.conflict, error.message)
        case .corrupt, .newerFormat: self.init(.damaged, error.message)
        case .readOnly, .elsewhere, .io:
            self.init(.unavailable, error.message, retryAfter: 5)
        }
    }
}

/// Where the parts of a push stand in its JSON.
enum PushPointer {
    static func of(_ field: String) -> String {
        switch field {
        case "person": "/to"
        case "merge.key": "/merge/key"
        case "merge.grace": "/merge/grace"
        case "merge.maxWait": "/merge/max_wait"
        default: "/\(field)"
        }
    }
}
