using NUnit.Framework;

namespace LoadBalancer.Edge.Tests.Conversion;

/// <summary>A listener of nginx that lb cannot be like is left out and told of: it never becomes one that means something else.</summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class NginxListenerMeaningTests
{
    [Test]
    public void TlsWithoutACertificate_IsNotPlainHttp()
    {
        Converted made = Converted.NginxHttp("""
            server { listen 80; return 200 plain; }
            server {
              listen 443 ssl;
              include /etc/letsencrypt/options.conf;
              location / { proxy_pass http://10.0.0.1; }
            }
            """);
        Assert.That(made.Config.Listeners.Keys, Is.EqualTo(new[] { "http-80" }));
        Assert.That(made.Config.Routes.Values.Select(route => route.Respond?.Body), Is.EqualTo(new[] { "plain" }));
        Assert.That(made.Tells(4, "listen 443 ssl: "), string.Join('\n', made.Findings));
        Assert.That(made.Tells(6, "location / { }: left out"), string.Join('\n', made.Findings));
    }

    [Test]
    public void ACertificateByVariable_IsToldOf()
    {
        Converted made = Converted.NginxHttp("""
            server { listen 80; return 200 plain; }
            server { listen 443 ssl; return 200 x;
              ssl_certificate /etc/$ssl_server_name.pem; }
            """);
        Assert.That(made.Config.Listeners.Keys, Is.EqualTo(new[] { "http-80" }));
        Assert.That(made.Tells(4, "ssl_certificate"), string.Join('\n', made.Findings));
    }

    [Test]
    public void StreamTlsWithoutACertificate_IsNotPlainTcp()
    {
        Converted made = Converted.Nginx("""
            stream {
              server { listen 5000; proxy_pass 10.0.0.1:5000; }
              server { listen 5001 ssl; proxy_pass 10.0.0.1:5000; }
              server { listen 5002 ssl; proxy_pass 10.0.0.1:5000; ssl_certificate a.pem; ssl_verify_client on; ssl_client_certificate ca.pem; }
            }
            """);
        Assert.That(made.Config.Listeners.Keys, Is.EqualTo(new[] { "tcp-5000", "tcp-5002" }));
        Assert.That(made.Tells(3, "listen 5001 ssl: "), string.Join('\n', made.Findings));
        Assert.That(made.Config.Listeners["tcp-5002"].Tls!.ClientCertificates!.Ca, Does.EndWith("ca.pem"));
    }

    [TestCase("server { listen [::]:80 ipv6only=off; return 200 a; }", ":80", true)]
    [TestCase("server { listen [::]:80; return 200 a; }", "[::]:80", false)]
    [TestCase("server { listen [::]:80 ipv6only=off default_server; return 200 a; } server { listen [::]:80; server_name b; return 200 b; }", ":80", true)]
    public void Ipv6OnlyOff_KeepsIpv4Clients(string servers, string address, bool isDual)
    {
        Converted made = Converted.NginxHttp(servers);
        Assert.That(made.Config.Listeners.Values.Select(listener => (listener.Address, listener.DualStack)), Is.EqualTo(new[] { (address, isDual) }));
        Assert.That(made.Findings, Is.Empty);
    }

    [Test]
    public void Ipv6OnlyOff_KeepsIpv4ClientsOfStreams() =>
        Assert.That(Converted.Nginx("stream { server { listen [::]:5000 ipv6only=off; proxy_pass 10.0.0.1:5000; } }").Config.Listeners["tcp-5000"].Address, Is.EqualTo(":5000"));

    [Test]
    public void ProxyProtocolOfNobody_IsNoListenerWithout()
    {
        Converted made = Converted.Nginx("""
            stream {
              server { listen 5000 proxy_protocol; proxy_pass 10.0.0.1:5000; }
              server { listen 5001 proxy_protocol; proxy_pass 10.0.0.1:5000;
                set_real_ip_from 10.0.0.0/8; set_real_ip_from balancer.internal; }
              server { listen unix:/run/x.sock proxy_protocol; proxy_pass 10.0.0.1:5000; }
            }
            http {
              server { listen 80; return 200 a; }
              server { listen 81 proxy_protocol; return 200 a; }
            }
            """);
        Assert.That(made.Config.Listeners.Keys, Is.EquivalentTo(new[] { "tcp-5001", "tcp-x", "http-80" }));
        Assert.That(made.Config.Listeners["tcp-5001"].ProxyProtocol!.TrustedPeers, Is.EqualTo(new[] { "10.0.0.0/8" }));
        Assert.That(made.Config.Listeners["tcp-x"].ProxyProtocol, Is.Not.Null);
        Assert.That((made.Tells(2, "listen 5000"), made.Tells(4, "balancer.internal"), made.Tells(9, "listen 81")), Is.EqualTo((true, true, true)), string.Join('\n', made.Findings));
    }

    [Test]
    public void Udp_IsNoTcp()
    {
        Converted made = Converted.Nginx("""
            stream {
              server { listen 53 udp; proxy_pass 10.0.0.1:53; }
              server { listen 54; listen 54 udp; proxy_pass 10.0.0.1:54; }
            }
            http {
              server { listen 80; return 200 a; }
              server { listen 443 quic reuseport; return 200 b; }
            }
            """);
        Assert.That(made.Config.Listeners.Keys, Is.EquivalentTo(new[] { "tcp-54", "http-80" }));
        Assert.That((made.Tells(2, "listen 53 udp"), made.Tells(3, "listen 54 udp"), made.Tells(7, "listen 443 quic")), Is.EqualTo((true, true, true)), string.Join('\n', made.Findings));
    }
}
