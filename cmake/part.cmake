# gm_part(NAME PARTS … LIBRARIES …): the static library gm_NAME of src/NAME (and its subfolders). A part without sources yet
# is an empty target. Statements in src/NAME/sql/*.sql become the strings of the generated NAME_sql.h, and the steps in
# src/NAME/migrations the list gm_migrations.
function(gm_part name)
    cmake_parse_arguments(part "" "" "PARTS;LIBRARIES" ${ARGN})
    set(folder ${CMAKE_SOURCE_DIR}/src/${name})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.c)
    list(FILTER sources EXCLUDE REGEX "/main\\.c$")
    file(GLOB_RECURSE statements CONFIGURE_DEPENDS ${folder}/sql/*.sql)
    list(TRANSFORM part_PARTS PREPEND gm_ OUTPUT_VARIABLE lower)
    list(REVERSE lower)
    if(statements)
        set(generated ${CMAKE_BINARY_DIR}/generated/${name})
        add_custom_command(
            OUTPUT ${generated}/${name}_sql.h ${generated}/${name}_sql.c
            COMMAND ${GM_PYTHON} ${CMAKE_SOURCE_DIR}/tools/embed_sql.py ${name} ${folder}/sql ${generated}
            DEPENDS ${statements} ${CMAKE_SOURCE_DIR}/tools/embed_sql.py
            VERBATIM)
        list(APPEND sources ${generated}/${name}_sql.c ${generated}/${name}_sql.h)
    endif()
    file(GLOB migrations CONFIGURE_DEPENDS ${folder}/migrations/*.sql)
    if(IS_DIRECTORY ${folder}/migrations)
        set(generated_list ${CMAKE_BINARY_DIR}/generated/${name}/migrations.c)
        add_custom_command(
            OUTPUT ${generated_list}
            COMMAND ${GM_PYTHON} ${CMAKE_SOURCE_DIR}/tools/embed_migrations.py ${folder}/migrations ${generated_list}
            DEPENDS ${migrations} ${CMAKE_SOURCE_DIR}/tools/embed_migrations.py
            VERBATIM)
        list(APPEND sources ${generated_list})
    endif()
    if(sources)
        add_library(gm_${name} STATIC ${sources})
        target_link_libraries(gm_${name} PUBLIC gm_options ${lower} ${part_LIBRARIES})
        if(statements)
            target_include_directories(gm_${name} PUBLIC ${generated})
        endif()
    else()
        add_library(gm_${name} INTERFACE)
        target_link_libraries(gm_${name} INTERFACE gm_options ${lower} ${part_LIBRARIES})
    endif()
endfunction()

# gm_embed_files(PART SYMBOL FOLDER): the files below FOLDER as a table of cli/embedded.h in the part's library.
function(gm_embed_files part symbol folder)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*)
    set(generated ${CMAKE_BINARY_DIR}/generated/${part}/${symbol}.c)
    add_custom_command(
        OUTPUT ${generated}
        COMMAND ${GM_PYTHON} ${CMAKE_SOURCE_DIR}/tools/embed_files.py ${symbol} ${CMAKE_SOURCE_DIR}/${folder} ${generated}
        DEPENDS ${files} ${CMAKE_SOURCE_DIR}/tools/embed_files.py
        VERBATIM)
    target_sources(gm_${part} PRIVATE ${generated})
endfunction()
