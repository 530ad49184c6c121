import Dispatch

/// Work that blocks, away from the threads that everything else shares.
package enum Blocking {
    /// Runs on a thread of its own.
    package static func run<Value: Sendable>(
        _ label: String,
        _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: label).async { continuation.resume(with: Result { try work() }) }
        }
    }
}
