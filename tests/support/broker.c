#include "support/broker.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/clock.h"

struct broker {
    char *folder_z, *url_z;
    const char *program_z;
    int port;
    pid_t pid;
};

static void give_up(const char *what_z)
{
    perror(what_z);
    abort();
}

static const char *find_program(void)
{
    static const char *const paths[] = {"/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto",
                                        "/usr/bin/mosquitto", "/opt/homebrew/sbin/mosquitto"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(paths); i++) {
        if (access(paths[i], X_OK) == 0) {
            return paths[i];
        }
    }
    return NULL;
}

static struct sockaddr_in address_of(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int free_port(void)
{
    struct sockaddr_in address = address_of(0);
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    /* The generic address type is how sockets are called; both begin alike. */
    struct sockaddr *generic = (struct sockaddr *)(void *)&address;
    if (fd < 0 || bind(fd, generic, size) != 0 || getsockname(fd, generic, &size) != 0) {
        give_up("a free port");
    }
    (void)close(fd);
    return ntohs(address.sin_port);
}

static bool listens(const struct broker *broker)
{
    struct sockaddr_in address = address_of(broker->port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool yes = connect(fd, (struct sockaddr *)(void *)&address, sizeof(address)) == 0;
    (void)close(fd);
    return yes;
}

void broker_resume(struct broker *broker)
{
    broker->pid = fork();
    if (broker->pid == 0) {
        GM_AUTO_FREE char *conf_z = gm_format_z("%s/mosquitto.conf", broker->folder_z);
        GM_AUTO_FREE char *log_z = gm_format_z("%s/log", broker->folder_z);
        int log = open(log_z, O_WRONLY | O_CREAT | O_APPEND, 0600);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (chdir(broker->folder_z) != 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) {
            _exit(126);
        }
        (void)execl(broker->program_z, "mosquitto", "-c", conf_z, (char *)NULL);
        _exit(127);
    }
    struct gm_stop *never = gm_stop_new();
    for (int i = 0; !listens(broker); i++) { /* nobody tells when it listens: asked until it does */
        if (i == 1000 || waitpid(broker->pid, NULL, WNOHANG) != 0) {
            (void)fprintf(stderr, "mosquitto did not start; see %s/log\n", broker->folder_z);
            abort();
        }
        (void)gm_stop_wait(never, 10 * GM_MS);
    }
    gm_stop_free(never);
}

void broker_halt(struct broker *broker)
{
    (void)kill(broker->pid, SIGTERM);
    (void)waitpid(broker->pid, NULL, 0);
    broker->pid = 0;
}

struct broker *broker_start(const struct broker_options *options)
{
    const char *program_z = find_program();
    if (program_z == NULL) {
        return NULL;
    }
    struct broker *broker = gm_alloc(sizeof(*broker));
    broker->program_z = program_z;
    broker->folder_z = gm_strdup_z("/tmp/gemel-mqtt-XXXXXX");
    if (mkdtemp(broker->folder_z) == NULL) {
        give_up(broker->folder_z);
    }
    broker->port = free_port();
    broker->url_z = gm_format_z("%s://127.0.0.1:%d", options->tls ? "mqtts" : "mqtt", broker->port);
    GM_AUTO_FREE char *conf_z = gm_format_z("%s/mosquitto.conf", broker->folder_z);
    FILE *conf = fopen(conf_z, "w");
    if (conf == NULL) {
        give_up(conf_z);
    }
    if (geteuid() == 0) { /* as root it would become a user who may not write here */
        (void)fprintf(conf, "user root\n");
    }
    (void)fprintf(conf,
                  "persistence true\npersistence_location %s/\nmax_queued_messages 0\n"
                  "max_inflight_messages 0\nlistener %d 127.0.0.1\n%s\n",
                  broker->folder_z, broker->port,
                  options->settings_z != NULL ? options->settings_z : "allow_anonymous true");
    (void)fclose(conf);
    broker_resume(broker);
    return broker;
}

void broker_stop(struct broker *broker)
{
    if (broker != NULL) {
        if (broker->pid > 0) {
            broker_halt(broker);
        }
        static const char *const names[] = {"mosquitto.conf", "log", "mosquitto.db"};
        for (size_t i = 0; i < GM_ARRAY_COUNT(names); i++) {
            GM_AUTO_FREE char *path_z = gm_format_z("%s/%s", broker->folder_z, names[i]);
            (void)unlink(path_z);
        }
        (void)rmdir(broker->folder_z);
        gm_free(broker->folder_z);
        gm_free(broker->url_z);
        gm_free(broker);
    }
}

const char *broker_url(const struct broker *broker)
{
    return broker->url_z;
}

int broker_port(const struct broker *broker)
{
    return broker->port;
}
