package import BelfryCore

/// Sends an account's messages to people; customer-service messages with files and all.
package struct WeChatSender: Sendable {
    private let client: WeChatClient
    private let media: MediaLibrary?

    /// - Parameter media: `nil` where the account has no files: messages that name one are refused.
    package init(client: WeChatClient, media: MediaLibrary? = nil) {
        self.client = client
        self.media = media
    }

    /// - Parameter body: the message as WeChat's JSON, without the receiver.
    package func send(_ body: [UInt8], to openID: String, due: Timestamp) async -> SendOutcome {
        let message: CustomerMessage
        do {
            message = try CustomerMessage(json: body)
            try message.validate()
        } catch {
            return .refused(.dead, cause: Self.cause(error))
        }
        return await send(message, to: openID, due: due)
    }

    /// - Parameters:
    ///   - body: a ``TemplateMessage`` as JSON, without the receiver.
    ///   - name: the same for every try of this message, and for no other.
    package func sendTemplate(_ body: [UInt8], named name: String, to openID: String) async
        -> SendOutcome
    {
        do {
            let message = try TemplateMessage(json: body)
            try message.validate()
            return await client.send(message, named: name, to: openID)
        } catch {
            return .refused(.dead, cause: Self.cause(error))
        }
    }

    /// - Parameter body: a ``SubscribeNotification`` as JSON, without the receiver.
    package func sendNotification(_ body: [UInt8], to openID: String) async -> SendOutcome {
        do {
            let notification = try SubscribeNotification(json: body)
            try notification.validate()
            return await client.send(notification, to: openID)
        } catch {
            return .refused(.dead, cause: Self.cause(error))
        }
    }

    package func send(_ message: CustomerMessage, to openID: String, due: Timestamp) async
        -> SendOutcome
    {
        let references = message.mediaReferences
        guard !references.isEmpty else { return await client.send(message, to: openID) }
        do {
            let ids = try await ready(references, due: due)
            do {
                try await client.deliver(message.replacing(ids), to: openID)
                return .sent(reference: nil)
            } catch {
                guard error.code == 40007 else { return SendOutcome(error) }
            }
            // An id that WeChat has forgotten before its time: once more with new ones, and never again.
            let renewed = try await ready(references, due: due, instead: ids)
            return await client.send(message.replacing(renewed), to: openID)
        } catch {
            switch error {
            case .file(let problem): return .refused(.dead, cause: Self.cause(problem))
            case .upload(let failure): return SendOutcome(failure)
            }
        }
    }

    private func ready(
        _ references: [MediaReference],
        due: Timestamp,
        instead old: [MediaReference: String] = [:]
    ) async throws(MediaLibrary.Failure) -> [MediaReference: String] {
        guard let media else {
            let problem = "names the file \(references[0].name), but the account has no files"
            throw .file(InvalidMessage(field: "media_id", problem: problem))
        }
        var ids: [MediaReference: String] = [:]
        for reference in references {
            if let refused = old[reference] {
                ids[reference] = try await media.renew(refused, for: reference)
            } else {
                ids[reference] = try await media.mediaID(for: reference, due: due)
            }
        }
        return ids
    }

    private static func cause(_ problem: InvalidMessage) -> SendCause {
        SendCause(
            code: "invalid_message",
            message: problem.description,
            remedy: "correct the message"
        )
    }
}
