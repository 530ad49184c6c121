extension World {
    /// `POST /cgi-bin/qrcode/create`
    mutating func createCode(
        _ call: APICall,
        _ number: Int,
        at now: Int64
    ) throws(WeChatError) -> APIAnswer {
        try call.needs("POST")
        let body = try call.json()
        let inner = body["action_info"]?["scene"]
        let lasting: Bool
        let scene: String
        switch body["action_name"]?.string {
        case "QR_SCENE", "QR_LIMIT_SCENE":
            lasting = body["action_name"]?.string == "QR_LIMIT_SCENE"
            // A forgotten `scene` object gives the scene 0.
            let id = inner?["scene_id"]?.integer ?? 0
            if lasting, !(1...100_000).contains(id) { throw .jsonFormat }
            scene = String(id)
        case "QR_STR_SCENE", "QR_LIMIT_STR_SCENE":
            lasting = body["action_name"]?.string == "QR_LIMIT_STR_SCENE"
            guard let text = inner?["scene_str"]?.string, (1...64).contains(text.count) else {
                throw .jsonFormat
            }
            scene = text
        default: throw .jsonFormat
        }
        // 60 s when it is not said: seen so, though the page says 30.
        let seconds = min(max(body["expire_seconds"]?.integer ?? 60, 1), 2_592_000)
        let ticket = "gQ" + random.word(94)
        self[number].scenes.add(
            SceneCodes.Code(scene: scene, expiresAt: lasting ? nil : now + seconds * 1000),
            ticket: ticket
        )
        var answer: [String: JSONValue] = [
            "ticket": .string(ticket),
            "url": .string("http://weixin.qq.com/q/" + random.word(22)),
        ]
        if !lasting { answer["expire_seconds"] = .integer(seconds) }
        return .json(.object(answer))
    }
}
