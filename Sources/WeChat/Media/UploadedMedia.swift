package import BelfryCore

/// A temporary media file at WeChat. Good for three days, for the account that uploaded it, any number of times.
package struct UploadedMedia: Sendable, Hashable, Codable {
    package var id: String
    /// By WeChat's clock.
    package var created: Timestamp

    /// How long WeChat keeps temporary media.
    package static let life = Duration.days(3)
    /// After this it is renewed, well before anybody could meet its end.
    package static let renewal = Duration.hours(60)

    package init(id: String, created: Timestamp) {
        self.id = id
        self.created = created
    }

    init(_ answer: APIAnswer) throws(WeChatFailure) {
        // A thumb's id has come under a name of its own.
        let id = answer.value["media_id"]?.string ?? answer.value["thumb_media_id"]?.string
        guard let id, !id.isEmpty, let created = answer.value["created_at"]?.wholeNumber,
            (0...999_999_999_999).contains(created)
        else {
            throw WeChatFailure(
                .unreadable("WeChat's answer has no media id"),
                stage: .preparation
            )
        }
        self.init(id: id, created: .seconds(created))
    }

    /// Whether it can be used now for a message that goes at `due`.
    func isFresh(now: Timestamp, due: Timestamp) -> Bool {
        now < created + Self.renewal && due < created + Self.life
    }
}
