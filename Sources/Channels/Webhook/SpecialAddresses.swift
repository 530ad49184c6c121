/// Addresses that no webhook of the public internet lives at: IANA's special-purpose registries
/// (RFC 6890 and successors), multicast, and the metadata services of clouds.
enum SpecialAddresses {
    static let blocks: [AddressBlock] = texts.compactMap(AddressBlock.init)

    static let texts = [
        "0.0.0.0/8",  // this network
        "10.0.0.0/8",  // private
        "100.64.0.0/10",  // carriers' own; 100.100.100.200 is a metadata service
        "127.0.0.0/8",  // loopback
        "169.254.0.0/16",  // link-local; 169.254.169.254 is a metadata service
        "172.16.0.0/12",  // private
        "192.0.0.0/24",  // protocols; 192.0.0.192 is a metadata service
        "192.0.2.0/24",  // documentation
        "192.88.99.0/24",  // 6to4 relays
        "192.168.0.0/16",  // private
        "198.18.0.0/15",  // benchmarks
        "198.51.100.0/24",  // documentation
        "203.0.113.0/24",  // documentation
        "224.0.0.0/4",  // multicast
        "240.0.0.0/4",  // reserved, broadcast
        "168.63.129.16/32",  // a cloud's host agent
        "::/128",  // unspecified
        "::1/128",  // loopback
        "64:ff9b:1::/48",  // local NAT64
        "100::/64",  // discard
        "2001::/23",  // protocols, Teredo
        "2001:db8::/32",  // documentation
        "3fff::/20",  // documentation
        "5f00::/16",  // segment routing
        "fc00::/7",  // private; fd00:ec2::254 is a metadata service
        "fe80::/10",  // link-local
        "fec0::/10",  // site-local
        "ff00::/8",  // multicast
    ]
}
