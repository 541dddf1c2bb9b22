using System.Text;

namespace LoadBalancer.Testing;

/// <summary>Servers of other people, as tests need them: in the foreground, one process, all their files in one folder.</summary>
public static class PeerServers
{
    /// <param name="folder">For its configuration and other files.</param>
    /// <param name="port">That it is going to listen on.</param>
    /// <param name="http">What stands under http.</param>
    /// <param name="token">Ends the wait for it.</param>
    public static async Task<RunningProgram> StartNginxAsync(string folder, int port, string http, CancellationToken token)
    {
        string nginx = SystemProgram.Require("nginx");
        await File.WriteAllTextAsync($"{folder}/nginx.conf", $$"""
            daemon off;
            master_process off;
            pid {{folder}}/pid;
            events { worker_connections 256; }
            http {
              access_log off;
              client_body_temp_path {{folder}}/b; proxy_temp_path {{folder}}/p; fastcgi_temp_path {{folder}}/f; uwsgi_temp_path {{folder}}/u; scgi_temp_path {{folder}}/s;
              {{http}}
            }
            """, Encoding.ASCII, token);
        return await SystemProgram.StartAsync(nginx, port, token, "-c", $"{folder}/nginx.conf", "-e", $"{folder}/error.log");
    }

    /// <param name="port">That it is going to listen on; it keeps nothing when it ends.</param>
    /// <param name="token">Ends the wait for it.</param>
    /// <param name="more">Further options.</param>
    public static Task<RunningProgram> StartRedisAsync(int port, CancellationToken token, params string[] more) =>
        SystemProgram.StartAsync(SystemProgram.Require("redis-server"), port, token, ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", .. more]);

    /// <param name="folder">For its configuration.</param>
    /// <param name="port">That it is going to listen on.</param>
    /// <param name="sections">After the defaults: mode tcp.</param>
    /// <param name="token">Ends the wait for it.</param>
    public static async Task<RunningProgram> StartHaproxyAsync(string folder, int port, string sections, CancellationToken token)
    {
        string haproxy = SystemProgram.Require("haproxy");
        await File.WriteAllTextAsync($"{folder}/haproxy.cfg", $"""
            global
              nbthread 1
            defaults
              mode tcp
              timeout connect 5s
              timeout client 30s
              timeout server 30s
            {sections}

            """, Encoding.ASCII, token);
        return await SystemProgram.StartAsync(haproxy, port, token, "-db", "-f", $"{folder}/haproxy.cfg");
    }
}
