# The libraries of docs/decisions/0001-libraries.md; `./dev deps` installs their packages.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(libpq REQUIRED IMPORTED_TARGET libpq)
find_program(GM_PYTHON python3 REQUIRED)
