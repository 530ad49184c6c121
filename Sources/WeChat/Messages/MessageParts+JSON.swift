import BelfryCore

extension VideoMessage {
    init(_ fields: inout MessageFields) throws(InvalidMessage) {
        mediaID = try fields.text("media_id")
        thumbMediaID = try fields.text("thumb_media_id")
        title = try fields.optionalText("title")
        description = try fields.optionalText("description")
    }

    var value: JSONValue {
        .members([
            "media_id": .string(mediaID), "thumb_media_id": .string(thumbMediaID),
            "title": title.map { .string($0) }, "description": description.map { .string($0) },
        ])
    }
}

extension MusicMessage {
    init(_ fields: inout MessageFields) throws(InvalidMessage) {
        title = try fields.optionalText("title")
        description = try fields.optionalText("description")
        url = try fields.text("musicurl")
        highQualityURL = try fields.text("hqmusicurl")
        thumbMediaID = try fields.text("thumb_media_id")
    }

    var value: JSONValue {
        .members([
            "title": title.map { .string($0) }, "description": description.map { .string($0) },
            "musicurl": .string(url), "hqmusicurl": .string(highQualityURL),
            "thumb_media_id": .string(thumbMediaID),
        ])
    }
}

extension NewsArticle {
    init(_ fields: inout MessageFields) throws(InvalidMessage) {
        title = try fields.text("title")
        description = try fields.optionalText("description")
        url = try fields.text("url")
        pictureURL = try fields.optionalText("picurl")
    }

    var value: JSONValue {
        .members([
            "title": .string(title), "description": description.map { .string($0) },
            "url": .string(url), "picurl": pictureURL.map { .string($0) },
        ])
    }
}

extension MenuMessage {
    init(_ fields: inout MessageFields) throws(InvalidMessage) {
        head = try fields.optionalText("head_content")
        tail = try fields.optionalText("tail_content")
        var entries: [Entry] = []
        for var item in try fields.array("list") {
            entries.append(Entry(id: try item.text("id"), content: try item.text("content")))
            try item.finish()
        }
        self.entries = entries
    }

    var value: JSONValue {
        .members([
            "head_content": head.map { .string($0) },
            "list": .array(
                entries.map {
                    .members(["id": .string($0.id), "content": .string($0.content)])
                }
            ),
            "tail_content": tail.map { .string($0) },
        ])
    }
}

extension MiniProgramMessage {
    init(_ fields: inout MessageFields) throws(InvalidMessage) {
        title = try fields.text("title")
        appID = try fields.text("appid")
        path = try fields.text("pagepath")
        thumbMediaID = try fields.text("thumb_media_id")
    }

    var value: JSONValue {
        .members([
            "title": .string(title), "appid": .string(appID), "pagepath": .string(path),
            "thumb_media_id": .string(thumbMediaID),
        ])
    }
}

extension LinkMessage {
    init(_ fields: inout MessageFields) throws(InvalidMessage) {
        title = try fields.text("title")
        description = try fields.text("description")
        url = try fields.text("url")
        thumbURL = try fields.text("thumb_url")
    }

    var value: JSONValue {
        .members([
            "title": .string(title), "description": .string(description), "url": .string(url),
            "thumb_url": .string(thumbURL),
        ])
    }
}
