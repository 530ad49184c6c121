/// Finds the links that a message shows, and replaces them with tracked ones.
package enum TrackedLinks {
    /// The addresses in a message, in order, each once: links in texts (bare, and in `<a href>`), and the addresses of articles.
    package static func list(in message: FlowMessage) -> [String] {
        var found: [String] = []
        _ = replace(in: message) { link in
            if !found.contains(link) { found.append(link) }
            return link
        }
        return found
    }

    /// The same message with every link replaced by what `tracked` makes of it. Pictures and mini-program links stay.
    package static func replace(in message: FlowMessage, with tracked: (String) -> String)
        -> FlowMessage
    {
        var message = message
        message.body = message.body.mapStrings { text, path in
            let member = path.split(separator: ".").last ?? ""
            switch (message.type, member) {
            case ("text", "content"), ("msgmenu", "head_content"), ("msgmenu", "tail_content"):
                return replace(inText: text, with: tracked)
            case ("news", "url"), ("link", "url"):
                return isLink(text) ? tracked(text) : text
            default: return text
            }
        }
        return message
    }

    /// The same for the address that a template message or notification opens.
    package static func replace(in other: OtherChannel, with tracked: (String) -> String)
        -> OtherChannel
    {
        var other = other
        other.body = other.body.mapStrings { text, path in
            let opens = other.kind != .webhook && ["url", "page"].contains(path)
            return opens && isLink(text) ? tracked(text) : text
        }
        return other
    }

    /// Replaces the links in a text.
    package static func replace(inText text: String, with tracked: (String) -> String) -> String {
        var result = ""
        var rest = text[...]
        while let start = nextLink(in: rest) {
            // The address of a mini-program link is only shown where mini programs are not: it is no click of ours.
            let tag = rest[..<start].lastIndex(of: "<").map { rest[$0..<start] } ?? ""
            let isMiniProgram = !tag.contains(">") && tag.contains("data-miniprogram")
            result += rest[..<start]
            let link = rest[start...].prefix { !endsLink($0) }
            let address = withoutTrailingPunctuation(link)
            let isWhole = address.utf8.count > "https://".utf8.count
            result += isMiniProgram || !isWhole ? String(address) : tracked(String(address))
            rest = rest[address.endIndex...]
        }
        return result + rest
    }

    private static func isLink(_ text: String) -> Bool {
        text.hasPrefix("https://") || text.hasPrefix("http://")
    }

    private static func nextLink(in text: Substring) -> Substring.Index? {
        let candidates = ["http://", "https://"].compactMap { text.firstRange(of: $0)?.lowerBound }
        return candidates.min()
    }

    /// Blanks, quotes, markup and everything outside ASCII: Chinese text often follows an address without a blank.
    private static func endsLink(_ character: Character) -> Bool {
        !character.isASCII || character.isWhitespace || "\"'<>".contains(character)
    }

    private static func withoutTrailingPunctuation(_ link: Substring) -> Substring {
        var link = link
        while let last = link.last, ".,;:!?)]".contains(last) { link = link.dropLast() }
        return link
    }
}

extension FlowMessage {
    /// The message with a media id where the file's name was.
    func putting(_ id: String, for file: MessageFile) -> FlowMessage {
        guard case .object(var members) = body else { return self }
        members.removeAll { $0.key == file.member }
        members.append(.init(file.member, .string(id)))
        var copy = self
        copy.body = .object(members)
        copy.files.removeAll { $0 == file }
        return copy
    }
}
