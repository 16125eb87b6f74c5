#include "support/pg.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <glob.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/vec.h"
#include "db/db.h"
#include "os/process.h"

struct pg_server {
    char *programs_z; /* the folder with initdb and pg_ctl */
    char *folder_z;
    int port;
    int databases;
    pid_t watchdog; /* stops the server and removes its folder when `lifeline` closes */
    int lifeline;
    GM_VEC(char *) texts; /* what was handed out */
};

static void give_up(const char *what_z)
{
    perror(what_z);
    abort();
}

static char *find_programs(void)
{
    glob_t found = {0};
    char *folder_z = NULL;
    if (glob("/usr/lib/postgresql/*/bin/pg_ctl", 0, NULL, &found) == 0) {
        const char *newest_z = found.gl_pathv[found.gl_pathc - 1];
        folder_z = gm_str_dup_z((struct gm_str){newest_z, strlen(newest_z) - strlen("/pg_ctl")});
    }
    globfree(&found);
    struct gm_str rest = gm_str_z(gm_env_z("PATH"));
    struct gm_str head;
    while (folder_z == NULL && rest.n != 0) {
        (void)gm_str_cut(rest, ':', &head, &rest);
        GM_AUTO_FREE char *path_z = gm_format_z(GM_STR_FMT "/pg_ctl", GM_STR_ARG(head));
        if (access(path_z, X_OK) == 0) {
            folder_z = gm_str_dup_z(head);
        }
    }
    return folder_z;
}

static const struct passwd *server_user(void)
{
    const struct passwd *user = getpwnam("postgres");
    user = user != NULL ? user : getpwnam("nobody");
    if (user == NULL) {
        give_up("the tests run as root, and there is no user postgres or nobody");
    }
    return user;
}

/* PostgreSQL refuses to run as root. */
static void drop_root(void)
{
    if (geteuid() == 0) {
        const struct passwd *user = server_user();
        if (setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0) {
            give_up("setuid");
        }
    }
}

/* Starts a shell as the server's user, with `input` as its standard input. */
static pid_t start_shell(const struct pg_server *server, const char *script_z, int input)
{
    pid_t pid = fork();
    if (pid != 0) {
        return pid;
    }
    GM_AUTO_FREE char *log_z = gm_format_z("%s/setup.log", server->folder_z);
    drop_root();
    int log = open(log_z, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (chdir(server->folder_z) != 0 || dup2(input, 0) < 0 || dup2(log, 1) < 0 ||
        dup2(log, 2) < 0) {
        _exit(126);
    }
    (void)setenv("PROGRAMS", server->programs_z, 1);
    (void)setenv("FOLDER", server->folder_z, 1);
    (void)setsid(); /* a Ctrl-C is for the tests; the server goes when they are gone */
    (void)execl("/bin/sh", "sh", "-c", script_z, (char *)NULL);
    _exit(127);
}

static void run_shell(const struct pg_server *server, const char *script_z)
{
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int status = -1;
    pid_t pid = start_shell(server, script_z, nothing);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        (void)fprintf(stderr, "PostgreSQL did not start or stop; see %s\n", server->folder_z);
        abort();
    }
    (void)close(nothing);
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
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

static void start_watchdog(struct pg_server *server)
{
    int ends[2];
    if (pipe(ends) != 0 || fcntl(ends[0], F_SETFD, FD_CLOEXEC) != 0 ||
        fcntl(ends[1], F_SETFD, FD_CLOEXEC) != 0) {
        give_up("pipe");
    }
    server->watchdog = start_shell(server,
                                   "cat\n"
                                   "\"$PROGRAMS/pg_ctl\" -D data -m immediate -w stop\n"
                                   "cd / && rm -rf \"$FOLDER\"",
                                   ends[0]);
    (void)close(ends[0]);
    server->lifeline = ends[1];
}

static const char setup_z[] =
    "set -e\n"
    "\"$PROGRAMS/initdb\" -D data -N -U " PG_USER " -E UTF8 --no-locale --pwfile=password \\\n"
    "    --auth-local=trust --auth-host=scram-sha-256\n"
    "cat settings >> data/postgresql.conf\n";
static const char start_z[] = "exec \"$PROGRAMS/pg_ctl\" -D data -l server.log -w start";

static void write_file(const struct pg_server *server, const char *name_z, const char *text_z)
{
    GM_AUTO_FREE char *path_z = gm_format_z("%s/%s", server->folder_z, name_z);
    FILE *file = fopen(path_z, "w");
    if (file == NULL || fputs(text_z, file) < 0 || fclose(file) != 0) {
        give_up(path_z);
    }
}

struct pg_server *pg_server_start(void)
{
    char *programs_z = find_programs();
    if (programs_z == NULL) {
        return NULL;
    }
    struct pg_server *server = gm_alloc(sizeof(*server));
    server->programs_z = programs_z;
    server->folder_z = gm_strdup_z("/tmp/gemel-pg-XXXXXX"); /* a socket's path must be short */
    if (mkdtemp(server->folder_z) == NULL) {
        give_up(server->folder_z);
    }
    server->port = free_port();
    write_file(server, "password", PG_PASSWORD "\n");
    GM_AUTO_FREE char *settings_z =
        gm_format_z("port = %d\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '%s'\n"
                    "fsync = off\nfull_page_writes = off\nshared_buffers = 32MB\n"
                    "max_connections = 30\nautovacuum = off\n",
                    server->port, server->folder_z);
    write_file(server, "settings", settings_z);
    if (geteuid() == 0 &&
        chown(server->folder_z, server_user()->pw_uid, server_user()->pw_gid) != 0) {
        give_up("chown");
    }
    start_watchdog(server);
    run_shell(server, setup_z);
    run_shell(server, start_z);
    return server;
}

void pg_server_stop(struct pg_server *server)
{
    if (server == NULL) {
        return;
    }
    (void)close(server->lifeline);
    (void)waitpid(server->watchdog, NULL, 0);
    for (size_t i = 0; i < server->texts.n; i++) {
        gm_free(server->texts.at[i]);
    }
    gm_vec_deinit(&server->texts);
    gm_free(server->programs_z);
    gm_free(server->folder_z);
    gm_free(server);
}

int pg_server_port(const struct pg_server *server)
{
    return server->port;
}

const char *pg_server_url(struct pg_server *server, const char *database_z)
{
    char *url_z = gm_format_z("postgresql://%s:%s@127.0.0.1:%d/%s", PG_USER, PG_PASSWORD_IN_URL,
                              server->port, database_z);
    *gm_vec_push(&server->texts) = url_z;
    return url_z;
}

const char *pg_server_new_database(struct pg_server *server)
{
    char sql[64];
    char name[32];
    (void)snprintf(name, sizeof(name), "test%d", ++server->databases);
    (void)snprintf(sql, sizeof(sql), "CREATE DATABASE %s", name);
    struct gm_err err = {0};
    struct gm_db *db = NULL;
    struct gm_db_options options = {.url_z = pg_server_url(server, "postgres"),
                                    .mode = GM_DB_WRITE};
    if (gm_db_open(&options, &db, &err) != GM_OK || gm_db_exec(db, sql, &err) != GM_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        abort();
    }
    gm_db_close(db);
    return pg_server_url(server, name);
}

void pg_server_halt(struct pg_server *server)
{
    run_shell(server, "exec \"$PROGRAMS/pg_ctl\" -D data -m immediate -w stop");
}

void pg_server_resume(struct pg_server *server)
{
    run_shell(server, start_z);
}
