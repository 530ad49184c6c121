/// What became of a callback.
package struct CallbackReport: Sendable, Hashable {
    package enum Outcome: Sendable, Hashable {
        /// An empty answer or `success`.
        case acknowledged
        /// A passive reply of this type.
        case replied(String)
        /// No right answer, and the reason of the last attempt.
        case failed(String)
        /// Kept back for later: see `holdCallbacks`.
        case held
        /// The account has no callback URL.
        case notPushed
    }

    package var openID: String
    /// nil for events.
    package var messageID: Int64?
    /// Seconds since 1970.
    package var createTime: Int64
    /// How many requests were made.
    package var attempts: Int
    package var outcome: Outcome

    package var isAnswered: Bool {
        switch outcome {
        case .acknowledged, .replied: true
        case .failed, .held, .notPushed: false
        }
    }
}
