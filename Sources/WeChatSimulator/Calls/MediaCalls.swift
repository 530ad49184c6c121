extension World {
    /// `POST /cgi-bin/media/upload`, and `/cgi-bin/material/add_material` when `lasting`.
    mutating func upload(
        _ call: APICall,
        _ number: Int,
        lasting: Bool,
        at now: Int64
    ) throws(WeChatError) -> APIAnswer {
        try call.needs("POST")
        guard let kind = call.query["type"].flatMap(MediaKind.init(rawValue:)) else {
            throw .mediaType
        }
        let parts = Multipart.parts(call.body, contentType: call.contentType)
        guard let part = parts?.first(where: { $0.name == "media" && $0.fileName != nil }),
            !part.bytes.isEmpty
        else { throw .mediaMissing }
        if part.bytes.count > kind.limit { throw .fileSize }
        guard let format = kind.format(of: part.bytes) else { throw .fileType }
        let item = MediaShelf.Item(
            kind: kind,
            format: format,
            bytes: part.bytes,
            expiresAt: lasting ? nil : now + MediaShelf.lifetime
        )
        let id = put(item, number, at: now)
        if lasting {
            var answer: [String: JSONValue] = ["media_id": .string(id)]
            if kind == .image { answer["url"] = .string("http://mmbiz.qpic.cn/\(id)/0") }
            return .json(.object(answer))
        }
        return .json([
            "type": .string(kind.rawValue),
            kind == .thumb ? "thumb_media_id" : "media_id": .string(id),
            "created_at": .integer(now / 1000),
        ])
    }

    mutating func put(_ item: MediaShelf.Item, _ number: Int, at now: Int64) -> String {
        let id = random.word(item.expiresAt == nil ? 43 : 64)
        self[number].media.add(item, id: id, at: now)
        return id
    }

    /// `GET /cgi-bin/media/get`: the bytes, or for a video where it is to be had.
    func fetchMedia(
        _ call: APICall,
        _ number: Int,
        at now: Int64
    ) throws(WeChatError) -> APIAnswer {
        guard let id = call.query["media_id"], let item = self[number].media.item(id, at: now)
        else { throw .mediaID }
        if item.kind == .video {
            return .json(["video_url": .string("http://video.example/\(id).mp4")])
        }
        return .file(item.bytes, format: item.format)
    }
}
