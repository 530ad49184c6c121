/// What a person answered about one template.
package struct ConsentAnswer: Sendable, Hashable {
    package var templateID: String
    package var accepted: Bool

    package init(_ templateID: String, accepted: Bool = true) {
        self.templateID = templateID
        self.accepted = accepted
    }

    var words: String { accepted ? "accept" : "reject" }
}

extension Interaction {
    /// The person answers the dialogue that asks for consent, one answer for each template.
    ///
    /// - Parameter scene: 1: a web page, 2: an article.
    package static func answerConsent(_ answers: [ConsentAnswer], scene: Int64 = 1) -> Interaction {
        consent("subscribe_msg_popup_event", "SubscribeMsgPopupEvent", answers) {
            [Field("PopupScene", scene)]
        }
    }

    /// The person withdraws consents in the settings; WeChat tells only of refusals.
    package static func withdrawConsent(_ templateIDs: [String]) -> Interaction {
        consent(
            "subscribe_msg_change_event",
            "SubscribeMsgChangeEvent",
            templateIDs.map { ConsentAnswer($0, accepted: false) }
        ) { [] }
    }

    private static func consent(
        _ event: String,
        _ element: String,
        _ answers: [ConsentAnswer],
        more: () -> [Field]
    ) -> Interaction {
        let lists = answers.map { answer in
            Field(
                "List",
                [
                    Field("TemplateId", answer.templateID),
                    Field("SubscribeStatusString", answer.words),
                ] + more()
            )
        }
        var interaction = report(event, [Field(element, lists)])
        interaction.effect =
            element == "SubscribeMsgChangeEvent"
            ? .withdraw(answers.map(\.templateID))
            : .consent(answers.filter(\.accepted).map(\.templateID))
        return interaction
    }
}

extension Follower {
    /// One accept is one notification; several add up.
    mutating func consent(to templateIDs: [String]) {
        for id in templateIDs { consents[id, default: 0] += 1 }
    }

    mutating func withdraw(_ templateIDs: [String]) {
        for id in templateIDs { consents[id] = nil }
    }

    /// Whether there was a consent to use.
    mutating func useConsent(_ templateID: String) -> Bool {
        guard let left = consents[templateID], left > 0 else { return false }
        consents[templateID] = left - 1
        return true
    }

    /// How long a `client_msg_id` is remembered, in milliseconds.
    static let noticeMemory: Int64 = 10 * 60_000

    /// The message that this id named in the last ten minutes.
    func notice(_ clientID: String, at now: Int64) -> Int64? {
        guard let known = notices[clientID], now < known.time + Self.noticeMemory else {
            return nil
        }
        return known.id
    }

    mutating func remember(_ clientID: String, _ id: Int64, at now: Int64) {
        notices = notices.filter { now < $0.value.time + Self.noticeMemory }
        notices[clientID] = (id, now)
    }
}
