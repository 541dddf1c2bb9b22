using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of <see cref="AcmeConfig"/> and its part.</summary>
internal static class AcmeSpecs
{
    internal static readonly ObjectSpec<ExternalAccountConfig> ExternalAccount = new(
        "externalAccount", "Credentials of your account at the authority (external account binding, EAB).", () => new ExternalAccountConfig { KeyId = "", MacKey = "" },
        new FieldSpec<ExternalAccountConfig, string>("keyId", "Key identifier, as the authority gave it.",
            new TextSpec(), c => c.KeyId, (c, v) => c with { KeyId = v }) { IsRequired = true, OtherNames = ["kid", "key_id"] },
        new FieldSpec<ExternalAccountConfig, string>("macKey", "MAC key in base64url, as the authority gave it. Keep it out of the file: \"${EAB_MAC_KEY}\" or \"@file:eab.txt\".",
            new TextSpec(examples: ["${EAB_MAC_KEY}", "@file:eab.txt"]), c => c.MacKey, (c, v) => c with { MacKey = v }) { Secrecy = Secrecy.All, IsRequired = true, OtherNames = ["hmac", "hmacEncoded", "mac_key"] });

    internal static readonly ObjectSpec<AcmeConfig> Acme = new(
        "acme", "The certification authority that certificates are had from (ACME, RFC 8555), and how.", () => new AcmeConfig(),
        new FieldSpec<AcmeConfig, bool>("agreeToTerms", "Must be true: you agree to the authority's terms of service.",
            new FlagSpec(), c => c.AgreeToTerms, (c, v) => c with { AgreeToTerms = v }) { OtherNames = ["acceptTerms", "termsOfServiceAgreed", "tos"] },
        new FieldSpec<AcmeConfig, IReadOnlyList<string>>("contact", "Mail addresses that the authority may write to.",
            new TextListSpec(new TextSpec(examples: ["admin@example.com"])), c => c.Contact, (c, v) => c with { Contact = v }) { OtherNames = ["email", "mail"] },
        new FieldSpec<AcmeConfig, string>("directory", "URL of the authority's directory.",
            new TextSpec(examples: [AcmeConfig.LetsEncrypt, "https://acme-staging-v02.api.letsencrypt.org/directory"]), c => c.Directory, (c, v) => c with { Directory = v })
            { OtherNames = ["caServer", "acme_ca", "ca", "server", "url"] },
        new FieldSpec<AcmeConfig, string>("storage",
            "Folder for the account's key and the certificates with their keys, for its owner only; made when it is missing. Balancers may share one where one of them gets the traffic.",
            new TextSpec(), c => c.Storage, (c, v) => c with { Storage = v }) { OtherNames = ["path", "store", "cache"] },
        new FieldSpec<AcmeConfig, AcmeChallenge>("challenge",
            "How names are validated. \"http-01\": through a listener without \"tls\" that is reached on port 80; \"tls-alpn-01\": through the listener itself, reached on port 443; \"auto\": what is there, one after the other.",
            new ChoiceSpec<AcmeChallenge>(("auto", AcmeChallenge.Auto), ("http-01", AcmeChallenge.Http01), ("tls-alpn-01", AcmeChallenge.TlsAlpn01)), c => c.Challenge, (c, v) => c with { Challenge = v })
            { OtherNames = ["challenges", "httpChallenge", "tlsChallenge"] },
        new FieldSpec<AcmeConfig, AcmeKeyKind>("key", "Kind of the certificates' keys. \"ecdsa\": P-256; \"rsa\": RSA of 2048 bits, for old clients.",
            new ChoiceSpec<AcmeKeyKind>(("ecdsa", AcmeKeyKind.Ecdsa), ("rsa", AcmeKeyKind.Rsa)), c => c.Key, (c, v) => c with { Key = v }) { OtherNames = ["keyType", "key_type"] },
        new FieldSpec<AcmeConfig, TimeSpan>("renewBefore", "How long before its end a certificate is renewed, at most half of its life. 0: when a third of its life is left.",
            new DurationSpec(ConfigRanges.AcmeRenewBefore), c => c.RenewBefore, (c, v) => c with { RenewBefore = v }) { OtherNames = ["renewalWindow", "renew"] },
        new FieldSpec<AcmeConfig, string?>("trust", "PEM file with the root that the authority's own server is verified by. Left out: those of the system.",
            new TextSpec(examples: ["ca.pem"])!, c => c.Trust, (c, v) => c with { Trust = v }) { OtherNames = ["caCertificates", "acme_ca_root", "ca_root"] },
        new FieldSpec<AcmeConfig, ExternalAccountConfig?>("externalAccount", "Ties the account to one that you have at the authority. Left out: none.",
            ExternalAccount!, c => c.ExternalAccount, (c, v) => c with { ExternalAccount = v }) { OtherNames = ["eab", "externalAccountBinding", "acme_eab"] });
}
